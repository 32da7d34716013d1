import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { eventually } from '../../eventually.ts';
import { freePort } from '../judges/free-port.ts';

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
  const isUp = async (): Promise<boolean> =>
    child.exitCode !== null ||
    client.listTables({}).then(
      () => true,
      () => false,
    );
  await eventually(isUp, 'DynamoDB Local answers', 60);
  if (child.exitCode === null) return { client, url, stop };
  await stop();
  throw new Error(`DynamoDB Local did not start: ${complaint}`);
}
