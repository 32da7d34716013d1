import { expect, it } from '@jest/globals';
import { assert, infiniteStream, maxSafeNat, property } from 'fast-check';
import { makePassword } from '../../../cli/shared/chat-users.ts';

it('a password that is made up is what the user pool asks for, whatever chance gives', () => {
  assert(
    property(infiniteStream(maxSafeNat()), (numbers) => {
      const password = makePassword((limit) => Number(numbers.next().value) % limit);
      expect(password).toMatch(/^(?=.*[A-Z])(?=.*[a-z])(?=.*\d)(?=.*[-_.+=])[\w.+=-]{12}$/);
    }),
  );
});
