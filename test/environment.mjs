// @ts-check
import { AsyncLocalStorage } from 'node:async_hooks';
import { TestEnvironment } from 'jest-environment-node';

/** @type {Set<AsyncLocalStorage<unknown>>} */
const storages = new Set();
const run = Reflect.get(AsyncLocalStorage.prototype, 'run');
AsyncLocalStorage.prototype.run = function (/** @type {unknown[]} */ ...args) {
  storages.add(this);
  return Reflect.apply(run, this, args);
};

/** Jest leaves a storage behind each file, and whenever a promise is made, Node 20 walks over all there are. */
export default class extends TestEnvironment {
  /** @override */
  async teardown() {
    await super.teardown();
    for (const storage of storages) storage.disable();
    storages.clear();
  }
}
