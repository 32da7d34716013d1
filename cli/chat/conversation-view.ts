/** A message as a person sees it. */
export interface SeenMessage {
  readonly conversationId: string;
  readonly sequence: number;
  readonly from: string;
  readonly text: string;
  readonly sentAt: string;
}

export interface ConversationView<M extends SeenMessage> {
  /** Takes a message that arrived, was sent or was fetched, in whatever order and however often. */
  readonly see: (message: M) => void;
  /** Takes note of where the conversation ends, and fetches what is missing before it. */
  readonly endsAt: (sequence: number) => void;
}

/** Frames that merely overtook each other are complete again within this time. */
const PATIENCE_MILLISECONDS = 250;
const LONGEST_PAUSE_MILLISECONDS = 30_000;

/**
 * Shows a conversation in the order of its sequence, each message once: what arrives early waits, what is missing is
 * fetched. It begins with the first message that it sees.
 */
export function createConversationView<M extends SeenMessage>(options: {
  readonly show: (message: M) => void;
  /** The messages behind a sequence, some or all. */
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
    // What could not be had is tried again, ever more patiently.
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
