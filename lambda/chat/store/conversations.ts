import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { environmentVariable } from '../../shared/environment.ts';
import { itemTable } from '../../shared/item-table.ts';
import { environmentNames, tables } from '../contract.ts';
import { partitionQuery } from './partition.ts';

const keys = tables.conversations;

export interface MemberConversation {
  readonly conversationId: string;
  readonly with: string;
  /** Up to here the member has read; 0 for nothing. */
  readonly readSequence: number;
}

interface Membership {
  readonly userId: string;
  readonly conversationId: string;
}

const StoredConversation = v.object({
  conversationId: v.string(),
  with: v.string(),
  sequence: v.optional(v.number(), 0),
});

export type ConversationsTable = ReturnType<typeof conversationsTable>;

export function conversationsTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.conversationsTable),
) {
  const table = itemTable(client, name);
  return {
    /** Adding a conversation again changes nothing. */
    async add(member: Membership & { readonly with: string }): Promise<void> {
      await table.update(keyOf(member), {
        UpdateExpression: 'SET #with = :with',
        ExpressionAttributeNames: { '#with': 'with' },
        values: { ':with': member.with },
      });
    },

    async of(userId: string, after: string | undefined, limit: number): Promise<MemberConversation[]> {
      const { items } = await table.page(partitionQuery(keys, userId, limit, after), StoredConversation);
      return items.map(({ sequence, ...conversation }) => ({ ...conversation, readSequence: sequence }));
    },

    /** Never back. @returns whether it moved */
    async advance(position: Membership & { readonly sequence: number }, now: Date): Promise<boolean> {
      const moved = await table.update(keyOf(position), {
        UpdateExpression: 'SET #sequence = :sequence, readAt = :now',
        ConditionExpression: 'attribute_not_exists(#sequence) OR #sequence < :sequence',
        ExpressionAttributeNames: { '#sequence': 'sequence' },
        values: { ':sequence': position.sequence, ':now': now.toISOString() },
      });
      return moved !== undefined;
    },
  };
}

function keyOf({ userId, conversationId }: Membership) {
  return { [keys.partitionKey]: userId, [keys.sortKey]: conversationId };
}
