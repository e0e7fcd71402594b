import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { ServiceError } from './errors.js';

const NAMED: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text for an element. Characters that XML 1.0 cannot contain are sent as references, like S3 does. */
export function escapeXml(text: string): string {
  if (!/[&<>"\p{Cc}]/u.test(text)) return text;
  return text.replace(
    /[&<>"\p{Cc}]/gu,
    (character) => NAMED[character] ?? `&#x${character.charCodeAt(0).toString(16)};`,
  );
}

/** `<name>text</name>`; empty for undefined text. */
export function element(name: string, text: string | number | boolean | undefined): string {
  return text === undefined ? '' : `<${name}>${escapeXml(String(text))}</${name}>`;
}

/** `<name>…</name>` around XML elements. */
export function wrap(name: string, ...children: string[]): string {
  return `<${name}>${children.join('')}</${name}>`;
}

export const XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true,
  removeNSPrefix: true,
  ignoreDeclaration: true,
  processEntities: { enabled: true, maxTotalExpansions: 10_000_000, maxExpandedLength: 10_000_000 },
});

/** An element of a parsed document. Text is under `#text` only if the element also has children. */
export type XmlNode = Record<string, unknown>;

/**
 * The children of the document's root, which must be named `root`. Characters that XML 1.0 forbids are refused, even as
 * references: a document cannot contain a key with them. @throws MalformedXML
 */
export function parseXml(text: string, root: string): XmlNode {
  if (XMLValidator.validate(text) !== true || hasForbidden(text)) throw new ServiceError('MalformedXML');
  const document: unknown = parser.parse(text);
  const node = isNode(document) ? document[root] : undefined;
  if (node === '') return {};
  if (!isNode(node)) throw new ServiceError('MalformedXML');
  return node;
}

function hasForbidden(text: string): boolean {
  if (/[^\P{Cc}\t\n\r\u007f-\u009f]/u.test(text)) return true;
  return [...text.matchAll(/&#(x?)([0-9a-f]+);/gi)].some(([, hex, digits = '']) => {
    const code = Number.parseInt(digits, hex ? 16 : 10);
    return code < 0x20 && code !== 9 && code !== 10 && code !== 13;
  });
}

function isNode(value: unknown): value is XmlNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** All children of that name. */
export function children(node: XmlNode, name: string): XmlNode[] {
  const value = node[name];
  const list = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return list.map((item) => (isNode(item) ? item : {}));
}

/** A child's text, or undefined. */
export function textOf(node: XmlNode, name: string): string | undefined {
  const value = node[name];
  return typeof value === 'string' ? value : undefined;
}
