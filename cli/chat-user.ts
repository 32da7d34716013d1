import { InvalidArgumentError } from 'commander';
import { USER_ID } from '../lambda/chat/domain/identifiers.ts';

/** A parser for commander of a chat user's name. */
export function chatUser(text: string): string {
  if (USER_ID.test(text)) return text;
  throw new InvalidArgumentError(
    'A chat user is called 1 to 64 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit.',
  );
}
