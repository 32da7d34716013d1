import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DynamoDB } from '@aws-sdk/client-dynamodb';

/** Starts AWS's DynamoDB Local, in memory, on a free port. Needs `java` 17. */
export async function startDynamoDbLocal(
  folder: string,
): Promise<{ readonly client: DynamoDB; readonly url: string; readonly stop: () => Promise<void> }> {
  const port = await freePort();
  const { JAVA_HOME: home } = process.env;
  const java = home === undefined ? 'java' : join(home, 'bin', 'java');
  const child = spawn(
    java,
    [
      '-Xmx512m',
      `-Djava.library.path=${folder}`,
      ...['-cp', join(folder, '*'), 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner'],
      ...['-inMemory', '-sharedDb', '-disableTelemetry', '-port', String(port)],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let complaint = '';
  child.stderr.on('data', (chunk) => (complaint += String(chunk)));
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', (error) => {
      complaint += error.message;
      resolve();
    });
  });
  const url = `http://127.0.0.1:${port}`;
  const client = new DynamoDB({
    region: 'us-east-1',
    endpoint: url,
    credentials: { accessKeyId: 'operator', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
  const stop = async (): Promise<void> => {
    client.destroy();
    child.kill();
    await ended;
  };
  const deadline = Date.now() + 60_000;
  for (;;) {
    const isUp = await client.listTables({}).then(
      () => true,
      () => false,
    );
    if (isUp) return { client, url, stop };
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`DynamoDB Local did not start: ${complaint}`);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  if (address === null || typeof address === 'string') throw new Error('No port is free.');
  return address.port;
}
