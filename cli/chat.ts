import { randomUUID } from 'node:crypto';
import readline from 'node:readline';
import { createConversationView, type ConversationView, type SeenMessage } from './chat/conversation-view.ts';
import { describeRefusal } from './shared/api.ts';
import {
  connectDevice,
  connectToChat,
  historyAfter,
  postedOf,
  type Device,
  type ServerFrame,
} from './shared/chat.ts';
import { errorMessage, usageError } from './shared/command-error.ts';
import { chatUser, createDeploymentCommand, defineCommand } from './shared/command.ts';
import { findDeployment, type DeploymentOptions, type Outputs } from './shared/outputs.ts';
import { colorsFor, printable, type Colors } from './shared/screen.ts';
import { userTokensOf, type AccessTokens } from './shared/tokens.ts';

interface ShownMessage extends SeenMessage {
  readonly arrivedAt?: number;
}

/** API Gateway ends a connection after 10 idle minutes. */
const KEEP_ALIVE_MILLISECONDS = 5 * 60_000;

export const run = defineCommand<DeploymentOptions>(
  createDeploymentCommand(
    'chat',
    'Chats with another user: what you type is sent, what arrives is shown with its latency.\n/offline and /online disconnect and connect this device; /quit ends it.',
  )
    .argument('<me>', 'the user who you are', chatUser)
    .argument('<other>', 'the user who you write to', chatUser),
  async ({ options, args: [me = '', other = ''], context }) => {
    if (me === other) throw usageError('Nobody chats with themselves: name two users.');
    const { outputs } = await findDeployment(options, context);
    const tokens = userTokensOf(me, outputs);
    // Asks for the password before the chat takes over the screen.
    await tokens.get();
    const lines = readline.createInterface({ input: process.stdin, output: process.stdout, prompt: '' });
    // Lines are kept from here on, while the device still connects.
    const typed = lines[Symbol.asyncIterator]();
    const colors = colorsFor(process.stdout);
    const terminal = process.stdout.isTTY;
    const say = (text: string): void => {
      if (terminal) readline.clearLine(process.stdout, 0);
      if (terminal) readline.cursorTo(process.stdout, 0);
      process.stdout.write(`${text}\n`);
      if (terminal) lines.prompt(true);
    };
    const chat = createChat({ me, other, outputs, tokens, colors, say });
    try {
      await chat.online();
      if (terminal) say(colors.dim(`You are ${me}, writing to ${other}. /offline, /online, /quit`));
      for await (const line of typed) {
        const text = line.trim();
        if (text === '/quit') break;
        try {
          if (text === '/offline') chat.offline();
          else if (text === '/online') await chat.online();
          else if (text !== '') await chat.send(line);
        } catch (error) {
          say(colors.red(printable(errorMessage(error))));
        }
      }
      return 0;
    } finally {
      chat.close();
      lines.close();
    }
  },
);

function createChat(options: {
  readonly me: string;
  readonly other: string;
  readonly outputs: Outputs;
  readonly tokens: AccessTokens;
  readonly colors: Colors;
  readonly say: (text: string) => void;
}) {
  const { me, other, outputs, tokens, colors, say } = options;
  const { call, close } = connectToChat(outputs, tokens);
  const views = new Map<string, ConversationView<ShownMessage>>();
  let device: Device | undefined;
  const keepAlive = setInterval(() => device?.send({ action: 'hello' }), KEEP_ALIVE_MILLISECONDS);

  function viewOf(conversationId: string): ConversationView<ShownMessage> {
    const view =
      views.get(conversationId) ??
      createConversationView<ShownMessage>({
        show: (message) => say(lineOf(message, me, colors)),
        fetchAfter: (sequence) => historyAfter(call, conversationId, sequence),
      });
    views.set(conversationId, view);
    return view;
  }

  function onFrame(frame: ServerFrame): void {
    if (frame.type === 'notification') {
      viewOf(frame.conversationId).see({ ...frame, arrivedAt: Date.now() });
      device?.send({ action: 'ack', notificationIds: [frame.notificationId] });
      device?.send({ action: 'read', conversationId: frame.conversationId, sequence: frame.sequence });
    } else if (frame.type === 'caught-up') {
      for (const [conversationId, last] of Object.entries(frame.conversations))
        views.get(conversationId)?.endsAt(last);
      say(colors.dim('online: all that waited has arrived'));
    } else if (frame.type === 'read') {
      say(colors.dim(`${printable(frame.by)} has read up to #${frame.sequence}`));
    } else say(colors.red(printable(frame.problem.title)));
  }

  function disconnect(): Device | undefined {
    const leaving = device;
    device = undefined;
    leaving?.close();
    return leaving;
  }

  const sayWhenClosed = async (connected: Device): Promise<void> => {
    const code = await connected.closed;
    if (device !== connected) return;
    device = undefined;
    say(colors.dim(`offline: the connection ended (${code}); /online connects again`));
  };

  return {
    online: async (): Promise<void> => {
      if (device !== undefined) return;
      const { WebSocketUrl: webSocketUrl } = outputs.DuotempoChat;
      const connected = await connectDevice({ webSocketUrl, token: await tokens.get(), onFrame });
      device = connected;
      connected.send({ action: 'hello' });
      void sayWhenClosed(connected);
    },
    offline: (): void => {
      disconnect();
      say(colors.dim('offline: what arrives now waits until /online'));
    },
    send: async (text: string): Promise<void> => {
      const body = { to: other, text, clientMessageId: randomUUID() };
      const response = await call({ method: 'POST', path: '/messages', body });
      const posted = postedOf(response);
      if (posted === undefined) say(colors.red(`not sent: ${describeRefusal(response)}`));
      else viewOf(posted.conversationId).see({ ...posted, from: me, text });
    },
    close: (): void => {
      clearInterval(keepAlive);
      const leaving = disconnect();
      close();
      // A server that does not answer the close must not keep the command alive.
      setTimeout(() => leaving?.terminate(), 500).unref();
    },
  };
}

/** `#7 bob: hi (143 ms)`, from sending to arrival here. */
function lineOf(
  { sequence, from, text, sentAt, arrivedAt }: ShownMessage,
  me: string,
  { dim }: Colors,
): string {
  const milliseconds = arrivedAt === undefined ? undefined : arrivedAt - Date.parse(sentAt);
  const latency =
    milliseconds === undefined || milliseconds < 10_000 ? `${milliseconds} ms` : `written ${sentAt}`;
  const who = from === me ? 'you' : printable(from);
  const when = milliseconds === undefined ? '' : ` ${dim(`(${latency})`)}`;
  return `${dim(`#${sequence}`)} ${who}: ${printable(text, 4000)}${when}`;
}
