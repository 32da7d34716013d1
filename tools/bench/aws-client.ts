import { Agent } from 'node:http';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** A client of the AWS endpoint with so many connections, signing as the person at the keyboard. */
export function dynamoDbClient(endpoint: string, connections: number): DynamoDBClient {
  return new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    requestHandler: {
      httpAgent: new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections }),
    },
  });
}
