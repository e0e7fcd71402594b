/** Rules from the replication configuration of a bucket. Tests: test/rules/import.test.ts */
import { XsyncError } from '../../model/error.js';
import { isRecord } from '../values.js';
import { Draft, type ImportedRule, type ImportOptions } from './draft.js';
import { ossRule } from './oss.js';
import { s3Rule } from './s3.js';
import { listAt, type Tree, textAt, treeAt, treeOf } from './tree.js';

export interface RulesImport {
  vendor: 'S3' | 'OSS';
  rules: ImportedRule[];
}

/** @throws config: the text is no replication configuration */
export function importRules(text: string, options: ImportOptions): RulesImport {
  const tree = treeOf(text, options.file);
  const found = [...listAt(tree, 'Rules'), ...listAt(tree, 'Rule')].filter(isRecord);
  if (found.length === 0) {
    throw new XsyncError('config', `${options.file} has no replication rules`, {
      subject: options.file,
      remedy: 'Give the output of "aws s3api get-bucket-replication" or of OSS GetBucketReplication.',
    });
  }
  const vendor = found.some(isOfS3) ? 'S3' : 'OSS';
  const draft = new Draft(options);
  const rules = found.map((rule, index) => {
    const name = draft.nameFor(textAt(rule, 'ID'), index);
    return { name, ...(vendor === 'S3' ? s3Rule(rule, draft) : ossRule(rule, draft)) };
  });
  return { vendor, rules };
}

/** Buckets of S3 have ARNs. */
function isOfS3(rule: Tree): boolean {
  return /^arn:/.test(textAt(treeAt(rule, 'Destination') ?? {}, 'Bucket') ?? '');
}
