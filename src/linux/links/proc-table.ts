// Tables of the kernel in /proc that may be longer than anybody needs.
import { open } from 'node:fs/promises';
import { CarpdError, messageOf } from '../../base/errors.ts';

/**
 * The text of a table, with its heading. What lies behind the first `bytesMax` bytes is not read,
 * nor a line that this cuts. Rejects with a CarpdError.
 */
export async function readProcTable(path: string, bytesMax: number): Promise<string> {
  try {
    return await readStart(path, bytesMax);
  } catch (error) {
    throw new CarpdError('CARPD_INTERFACE', `read ${path}`, messageOf(error), error);
  }
}

async function readStart(path: string, bytesMax: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(bytesMax);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, bytesMax - length);
      length += bytesRead;
      if (bytesRead > 0 && length < bytesMax) continue;
      const text = buffer.toString('latin1', 0, length);
      return text.slice(0, text.lastIndexOf('\n') + 1);
    }
  } finally {
    await file.close();
  }
}
