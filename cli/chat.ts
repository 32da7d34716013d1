import { randomUUID } from 'node:crypto';
import readline from 'node:readline';
import { describeRefusal } from './shared/api.ts';
import { chatUser, createDeploymentCommand, parseArguments, type CommandContext } from './shared/command.ts';
import {
  connectDevice,
  connectToChat,
  historyAfter,
  postedOf,
  type Device,
  type ServerFrame,
} from './shared/chat.ts';
import { createConversationView, type ConversationView, type SeenMessage } from './chat/conversation-view.ts';
import { CommandError, errorMessage } from './shared/command-error.ts';
import { findDeployment, type DeploymentOptions } from './shared/outputs.ts';
import { colorsFor, printable } from './shared/screen.ts';
import { userTokensOf } from './shared/tokens.ts';

/** A message on the screen; `arrivedAt` if a frame brought it. */
interface ShownMessage extends SeenMessage {
  readonly arrivedAt?: number;
}

/** API Gateway ends a connection after 10 idle minutes. */
const keepAliveMilliseconds = 5 * 60_000;

/** `npm run chat -- <me> <other>`: a terminal chat. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const command = createDeploymentCommand(
    'chat',
    'Chats with another user: what you type is sent, what arrives is shown with its latency.\n/offline and /online disconnect and connect this device; /quit ends it.',
  )
    .argument('<me>', 'the user who you are', chatUser)
    .argument('<other>', 'the user who you write to', chatUser);
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;
  const [me = '', other = ''] = command.processedArgs.map(String);
  if (me === other) throw new CommandError('Nobody chats with themselves: name two users.', { exitCode: 2 });
  const { outputs } = await findDeployment(command.opts<DeploymentOptions>(), context);

  const tokens = userTokensOf(me, outputs);
  // The password is asked for before the screen belongs to the chat.
  await tokens.get();
  const api = connectToChat(outputs, tokens);
  const colors = colorsFor(process.stdout);
  const lines = readline.createInterface({ input: process.stdin, output: process.stdout, prompt: '' });
  // From here on, so that no line is missed, nor the end of the input, while the device connects.
  const typed = lines[Symbol.asyncIterator]();
  const terminal = process.stdout.isTTY;
  const say = (text: string): void => {
    if (terminal) readline.clearLine(process.stdout, 0);
    if (terminal) readline.cursorTo(process.stdout, 0);
    process.stdout.write(`${text}\n`);
    if (terminal) lines.prompt(true);
  };

  const views = new Map<string, ConversationView<ShownMessage>>();
  const viewOf = (conversationId: string): ConversationView<ShownMessage> => {
    let view = views.get(conversationId);
    if (view === undefined) {
      view = createConversationView<ShownMessage>({
        show: (message) => say(lineOf(message, me, colors.dim)),
        fetchAfter: (sequence) => historyAfter(api.call, conversationId, sequence),
      });
      views.set(conversationId, view);
    }
    return view;
  };

  let device: Device | undefined;
  const onFrame = (frame: ServerFrame): void => {
    if (frame.type === 'notification') {
      viewOf(frame.conversationId).see({ ...frame, arrivedAt: Date.now() });
      device?.send({ action: 'ack', notificationIds: [frame.notificationId] });
      device?.send({ action: 'read', conversationId: frame.conversationId, sequence: frame.sequence });
    } else if (frame.type === 'caught-up') {
      for (const [conversationId, last] of Object.entries(frame.conversations)) {
        views.get(conversationId)?.endsAt(last);
      }
      say(colors.dim('online: all that waited has arrived'));
    } else if (frame.type === 'read') {
      say(colors.dim(`${printable(frame.by)} has read up to #${frame.sequence}`));
    } else say(colors.red(printable(frame.problem.title)));
  };
  const online = async (): Promise<void> => {
    if (device !== undefined) return;
    const connected = await connectDevice({
      webSocketUrl: outputs.DuotempoChat.WebSocketUrl,
      token: await tokens.get(),
      onFrame,
    });
    device = connected;
    connected.send({ action: 'hello' });
    void (async () => {
      const code = await connected.closed;
      if (device !== connected) return;
      device = undefined;
      say(colors.dim(`offline: the connection ended (${code}); /online connects again`));
    })();
  };
  const offline = (): void => {
    const leaving = device;
    device = undefined;
    leaving?.close();
    say(colors.dim('offline: what arrives now waits until /online'));
  };
  const send = async (text: string): Promise<void> => {
    const response = await api.call({
      method: 'POST',
      path: '/messages',
      body: { to: other, text, clientMessageId: randomUUID() },
    });
    const posted = postedOf(response);
    if (posted === undefined) say(colors.red(`not sent: ${describeRefusal(response)}`));
    else viewOf(posted.conversationId).see({ ...posted, from: me, text });
  };

  const keepAlive = setInterval(() => device?.send({ action: 'hello' }), keepAliveMilliseconds);
  try {
    await online();
    if (terminal) say(colors.dim(`You are ${me}, writing to ${other}. /offline, /online, /quit`));
    for await (const line of typed) {
      const text = line.trim();
      if (text === '/quit') break;
      try {
        if (text === '/offline') offline();
        else if (text === '/online') await online();
        else if (text !== '') await send(line);
      } catch (error) {
        say(colors.red(printable(errorMessage(error))));
      }
    }
    return 0;
  } finally {
    clearInterval(keepAlive);
    const leaving = device;
    device = undefined;
    leaving?.close();
    lines.close();
    api.close();
    // A connection whose other end does not answer the close must not keep the command alive.
    setTimeout(() => leaving?.terminate(), 500).unref();
  }
}

/** `#7 bob: hi (143 ms)`: from when the message was written to when it arrived here. */
function lineOf(message: ShownMessage, me: string, dim: (text: string) => string): string {
  const latency =
    message.arrivedAt === undefined ? undefined : message.arrivedAt - Date.parse(message.sentAt);
  const when =
    latency === undefined
      ? ''
      : latency < 10_000
        ? ` ${dim(`(${latency} ms)`)}`
        : ` ${dim(`(written ${message.sentAt})`)}`;
  const who = message.from === me ? 'you' : printable(message.from);
  return `${dim(`#${message.sequence}`)} ${who}: ${printable(message.text, 4000)}${when}`;
}
