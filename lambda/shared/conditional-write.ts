import { isConditionFailed } from './dynamodb.ts';

/** Waits for a conditional write. @returns false if its condition was false, so that nothing was written */
export async function wasWritten(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isConditionFailed(error)) return false;
    throw error;
  }
}
