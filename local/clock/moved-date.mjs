// @ts-check
/** Moves the current time of `Date` in this thread. Plain JavaScript, because function-runtime.mjs imports it. */

const RealDate = globalThis.Date;
let movedMilliseconds = 0;

/** @type {DateConstructor} */
const MovedDate = new Proxy(RealDate, {
  /** @returns {Date} */
  construct: (target, args, newTarget) =>
    Reflect.construct(
      target,
      args.length === 0 ? [now()] : args,
      newTarget === MovedDate ? target : newTarget,
    ),
  apply: () => new RealDate(now()).toString(),
  get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
});

function now() {
  return RealDate.now() + movedMilliseconds;
}

/** @param {number} milliseconds that `Date` is ahead of the machine's clock */
export function moveDate(milliseconds) {
  movedMilliseconds = milliseconds;
  globalThis.Date = milliseconds === 0 ? RealDate : MovedDate;
}
