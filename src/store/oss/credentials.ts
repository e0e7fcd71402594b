/**
 * The source of a store's credentials. What fetches them is loaded with the first request that needs it.
 * Tests: test/store/oss/cname.test.ts
 */
import type { Means } from './provider-http.js';
import { type Environment, nameOf, type Recipe } from './recipe.js';
import { type CredentialSource, fixedSource, RenewedSource } from './renewal.js';

/** @param http a transport that lives as long as the store */
export function sourceOf(recipe: Recipe, env: Environment, http: Means['http']): CredentialSource {
  if (recipe.kind === 'keys') return fixedSource(recipe);
  return new RenewedSource(nameOf(recipe), async () => {
    const { fetchCredentials } = await import('./providers.js');
    return fetchCredentials(recipe, env, { http, direct });
  });
}

async function direct(): ReturnType<Means['direct']> {
  const { HttpTransport } = await import('../http/transport.js');
  return new HttpTransport({ userAgent: 'xsync' });
}
