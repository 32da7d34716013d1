export { after, aheadMilliseconds, joinClock, moveClock, setClock, sleep, type Timer } from './clock.ts';
export { serveClock } from './serve.ts';
