export interface SeenMessage {
  readonly conversationId: string;
  readonly sequence: number;
  readonly from: string;
  readonly text: string;
  readonly sentAt: string;
}

export interface ConversationView<M extends SeenMessage> {
  /** Takes messages in any order, also more than once. */
  readonly see: (message: M) => void;
  readonly endsAt: (sequence: number) => void;
}

/** Frames that only overtook each other arrive within this time. */
const PATIENCE_MILLISECONDS = 250;
const LONGEST_PAUSE_MILLISECONDS = 30_000;

/** Shows each message once and in order, from the first seen one on. An early one waits, a missing one is fetched. */
export function createConversationView<M extends SeenMessage>(options: {
  readonly show: (message: M) => void;
  readonly fetchAfter: (sequence: number) => Promise<readonly M[]>;
  readonly patienceMilliseconds?: number;
}): ConversationView<M> {
  const { show, fetchAfter, patienceMilliseconds = PATIENCE_MILLISECONDS } = options;
  const early = new Map<number, M>();
  let shown: number | undefined;
  let end = 0;
  let fetching = false;

  const see = (message: M): void => {
    shown ??= message.sequence - 1;
    if (message.sequence > shown) early.set(message.sequence, message);
    for (let next = early.get(shown + 1); next !== undefined; next = early.get(shown + 1)) {
      early.delete(next.sequence);
      shown = next.sequence;
      show(next);
    }
    end = Math.max(end, message.sequence);
    fetchMissing();
  };

  const fetchMissing = (pauseMilliseconds = patienceMilliseconds): void => {
    if (fetching || shown === undefined || shown >= end) return;
    fetching = true;
    setTimeout(() => void fetchNow(pauseMilliseconds), pauseMilliseconds);
  };

  const fetchNow = async (pausedMilliseconds: number): Promise<void> => {
    const from = shown ?? end;
    const messages = from >= end ? [] : await fetchAfter(from).catch(() => []);
    fetching = false;
    for (const message of messages) see(message);
    if (messages.length === 0) fetchMissing(Math.min(2 * pausedMilliseconds, LONGEST_PAUSE_MILLISECONDS));
  };

  return {
    see,
    endsAt: (sequence) => {
      end = Math.max(end, sequence);
      fetchMissing();
    },
  };
}
