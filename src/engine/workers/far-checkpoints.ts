/**
 * The checkpoints port across threads: a worker asks, the main thread has the manifest.
 * Tests: test/engine/workers/workers.test.ts
 */
import type { Checkpoints } from '../../manifest/checkpoints.js';
import type { Answer, Question } from './messages.js';

export function farCheckpoints(ask: (question: Question) => Promise<Answer>): Checkpoints {
  const tell = async (question: Question): Promise<void> => {
    await ask(question);
  };
  return {
    upload: async (key) => (await ask({ call: 'upload', key })).upload,
    beginUpload: (row) => tell({ call: 'beginUpload', row }),
    addPart: (key, part) => tell({ call: 'addPart', key, part }),
    noteHash: (key, hashed) => tell({ call: 'noteHash', key, hashed }),
    parts: async (key) => (await ask({ call: 'parts', key })).parts ?? [],
    dropParts: (key, partNumbers) => tell({ call: 'dropParts', key, partNumbers }),
    endUpload: (key) => tell({ call: 'endUpload', key }),
  };
}

/** @throws what the checkpoints throw */
export async function answerTo(question: Question, checkpoints: Checkpoints): Promise<Answer> {
  switch (question.call) {
    case 'upload':
      return { type: 'answer', upload: await checkpoints.upload(question.key) };
    case 'parts':
      return { type: 'answer', parts: await checkpoints.parts(question.key) };
    case 'beginUpload':
      await checkpoints.beginUpload(question.row);
      break;
    case 'addPart':
      await checkpoints.addPart(question.key, question.part);
      break;
    case 'noteHash':
      await checkpoints.noteHash(question.key, question.hashed);
      break;
    case 'dropParts':
      await checkpoints.dropParts(question.key, question.partNumbers);
      break;
    case 'endUpload':
      await checkpoints.endUpload(question.key);
      break;
  }
  return { type: 'answer' };
}
