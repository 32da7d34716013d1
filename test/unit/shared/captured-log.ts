import { logger } from '../../../lambda/shared/log.ts';
import { jest } from '@jest/globals';

export async function captureLog<T>(
  work: () => T | Promise<T>,
): Promise<{ readonly result: T; readonly lines: readonly unknown[] }> {
  const lines: unknown[] = [];
  const spies = (['info', 'warn', 'error'] as const).map((level) =>
    jest.spyOn(logger, level).mockImplementation((message, ...extra) => {
      lines.push({ level, message, ...Object.assign({}, ...extra) });
    }),
  );
  try {
    return { result: await work(), lines };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
