import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { FunctionDefinition, Invocation, InvocationError } from './function-definition.ts';
import { FunctionWorker } from './function-worker.ts';

/** Starting a worker costs some 150 ms of processor time, so a short queue waits for a warm one. */
const GROW_AFTER_MILLISECONDS = 25;
/** More threads than processors help only functions that mostly wait. Others lose memory and time to them. */
const PROCESSORS = availableParallelism();
/** After this wait a function may grow beyond the processors and take a worker from another. */
const STARVED_AFTER_MILLISECONDS = 200;

export interface Job {
  readonly payload: string;
  readonly traceHeader: string;
  readonly enqueuedAt: number;
  readonly done: (invocation: Invocation, milliseconds: number, coldStart: boolean) => void;
}

interface Slot {
  readonly team: Team;
  readonly worker: FunctionWorker;
  state: 'starting' | 'idle' | 'busy';
  readyAt: number;
  lastUsedAt: number;
  served: number;
}

export interface Team {
  readonly definition: FunctionDefinition;
  readonly waiting: Job[];
  readonly slots: Set<Slot>;
  /** The most recently used, and so the warmest, is last. */
  readonly idle: Slot[];
  readonly warming: (() => void)[];
  starting: number;
}

export interface CrewOptions {
  readonly maxWorkers: number;
  readonly region: string;
  /** Where functions send AWS calls, such as `http://localhost:4566`. */
  readonly awsEndpoint: string;
  readonly onLog: (functionName: string, line: string) => void;
}

/** Shares a limited number of threads among functions. A thread belongs to one function for life. */
export class Crew {
  readonly #options: CrewOptions;
  readonly #teams: Team[] = [];
  readonly #hungry = new Set<Team>();
  readonly #ending = new Set<Promise<void>>();
  #workers = 0;
  #isStopped = false;
  #sweepTimer: NodeJS.Timeout | undefined;

  constructor(options: CrewOptions) {
    this.#options = options;
  }

  add(definition: FunctionDefinition): Team {
    const team: Team = { definition, waiting: [], slots: new Set(), idle: [], warming: [], starting: 0 };
    this.#teams.push(team);
    return team;
  }

  run(team: Team, job: Job): void {
    const slot = team.idle.pop();
    if (slot) return this.#assign(slot, job);
    team.waiting.push(job);
    this.#hungry.add(team);
    if (team.slots.size === 0) this.#staff(team);
    if (this.#sweepTimer === undefined) this.#sweep();
  }

  kill(team: Team): number {
    const busy = [...team.slots].filter((slot) => slot.state === 'busy');
    for (const slot of busy) this.#end(slot);
    this.#sweep();
    return busy.length;
  }

  async warm(team: Team): Promise<void> {
    if (this.#isStopped || team.slots.size > team.starting) return;
    if (team.starting === 0) {
      if (this.#workers >= this.#options.maxWorkers || team.definition.reservedConcurrency === 0) return;
      this.#spawn(team);
    }
    await new Promise<void>((resolve) => {
      team.warming.push(resolve);
    });
  }

  async stop(failure: InvocationError): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#sweepTimer);
    for (const team of this.#teams) {
      for (const slot of team.slots) this.#end(slot);
      warmed(team);
      for (const job of team.waiting.splice(0)) job.done(failure, 0, false);
    }
    this.#hungry.clear();
    await Promise.all(this.#ending);
  }

  #spawn(team: Team): void {
    const { definition } = team;
    const { region, awsEndpoint, onLog } = this.#options;
    const worker = new FunctionWorker({
      definition,
      region,
      awsEndpoint,
      onReady: () => {
        team.starting -= 1;
        slot.state = 'busy';
        slot.readyAt = performance.now();
        warmed(team);
        this.#release(slot);
      },
      onGone: (initFailure) => {
        if (!this.#remove(slot)) return;
        if (initFailure) this.#refuseWaiting(team, initFailure);
        // The invocation that ended with the worker is settled first.
        queueMicrotask(() => this.#sweep());
      },
      onLog: (line) => onLog(definition.functionName, line),
    });
    const lastUsedAt = performance.now();
    const slot: Slot = { team, worker, state: 'starting', readyAt: 0, lastUsedAt, served: 0 };
    team.slots.add(slot);
    team.starting += 1;
    this.#workers += 1;
  }

  /** Each waiting invocation would repeat the init and fail too. */
  #refuseWaiting(team: Team, initFailure: InvocationError): void {
    warmed(team);
    this.#hungry.delete(team);
    for (const job of team.waiting.splice(0)) job.done(initFailure, 0, true);
  }

  #remove(slot: Slot): boolean {
    const { team } = slot;
    if (!team.slots.delete(slot)) return false;
    this.#workers -= 1;
    if (slot.state === 'starting') team.starting -= 1;
    const index = team.idle.indexOf(slot);
    if (index >= 0) team.idle.splice(index, 1);
    return true;
  }

  #end(slot: Slot): void {
    this.#remove(slot);
    const ended = slot.worker.terminate().finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  #assign(slot: Slot, job: Job): void {
    slot.state = 'busy';
    const startedAt = performance.now();
    slot.worker.run(job.payload, job.traceHeader, (invocation) => {
      const now = performance.now();
      slot.lastUsedAt = now;
      slot.served += 1;
      job.done(invocation, now - startedAt, slot.served === 1);
      if (slot.team.slots.has(slot)) this.#release(slot);
    });
  }

  /** The worker serves its own function's queue, unless another function starves. */
  #release(slot: Slot): void {
    if (this.#isStopped) return;
    const { team } = slot;
    if (this.#workers >= this.#options.maxWorkers && this.#hungry.size > 0) {
      const starving = this.#starvingBeside(slot);
      if (starving) {
        this.#end(slot);
        return this.#spawn(starving);
      }
    }
    const job = team.waiting.shift();
    if (team.waiting.length === 0) this.#hungry.delete(team);
    if (job) return this.#assign(slot, job);
    slot.state = 'idle';
    team.idle.push(slot);
    if (this.#hungry.size > 0) this.#sweep();
  }

  /**
   * A worker that just started serves its own function first, and a busy function keeps its only worker for a while;
   * otherwise two floods would take turns and get nothing done.
   */
  #starvingBeside({ team, served, readyAt }: Slot): Team | undefined {
    const isNeeded = team.waiting.length > 0;
    if (isNeeded && served === 0) return undefined;
    const now = performance.now();
    const hadItsTurn = team.slots.size > 1 || now - readyAt > STARVED_AFTER_MILLISECONDS;
    for (const other of this.#hungry) {
      const oldest = other.waiting[0];
      if (other === team || other.starting > 0 || oldest === undefined) continue;
      if (other.slots.size === 0 && (!isNeeded || hadItsTurn)) return other;
      const isStarved = now - oldest.enqueuedAt > STARVED_AFTER_MILLISECONDS;
      if (isStarved && other.slots.size + 1 < team.slots.size) return other;
    }
    return undefined;
  }

  #sweep(): void {
    if (this.#isStopped) return;
    for (const team of this.#hungry) this.#staff(team);
    if (this.#hungry.size === 0 || this.#sweepTimer !== undefined) return;
    this.#sweepTimer = setTimeout(() => {
      this.#sweepTimer = undefined;
      this.#sweep();
    }, GROW_AFTER_MILLISECONDS);
  }

  #staff(team: Team): void {
    const oldest = team.waiting[0];
    if (oldest === undefined || team.starting > 0) return;
    const { maxWorkers } = this.#options;
    const waitedMilliseconds = performance.now() - oldest.enqueuedAt;
    const hasNone = team.slots.size === 0;
    if (!hasNone) {
      const cap = this.#teams.length > 1 ? Math.max(1, maxWorkers - 2) : maxWorkers;
      const patience = team.slots.size < PROCESSORS ? GROW_AFTER_MILLISECONDS : STARVED_AFTER_MILLISECONDS;
      if (waitedMilliseconds < patience || team.slots.size >= cap) return;
    }
    if (this.#workers >= maxWorkers) {
      if (!hasNone && waitedMilliseconds < STARVED_AFTER_MILLISECONDS) return;
      const victim = this.#leastRecentlyUsedIdle(team);
      if (victim === undefined) return;
      this.#end(victim);
    }
    this.#spawn(team);
  }

  #leastRecentlyUsedIdle(except: Team): Slot | undefined {
    const candidates = this.#teams.flatMap((team) => (team === except ? [] : (team.idle[0] ?? [])));
    const [oldest] = candidates.toSorted((left, right) => left.lastUsedAt - right.lastUsedAt);
    return oldest;
  }
}

function warmed(team: Team): void {
  for (const resolve of team.warming.splice(0)) resolve();
}
