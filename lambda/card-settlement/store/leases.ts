import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { environmentVariable } from '../../shared/environment.ts';
import { itemTable, type Item, type Update } from '../../shared/item-table.ts';
import { parseWritten } from '../../shared/parse.ts';
import { environmentNames } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import { NOTHING_ASKED, TRIGGERS, type BusinessDay, type Trigger } from '../domain/business-day.ts';
import { dayKey, parseDay, runAttributes } from './day-record.ts';

export interface LeaseRequest {
  readonly holder: string;
  readonly now: Date;
  readonly until: Date;
  readonly seal: boolean;
  /**
   * The run and the message that asked for this one. It is refused if another run has concluded since, except one with
   * the same message, which may have died before it sent what it had to.
   */
  readonly goesOn?: { readonly after: string; readonly messageId: string };
  readonly ratesFound: boolean;
}

/** A run that continues elsewhere: the message with the ticket may take it up. */
export interface CutRun {
  readonly run: string;
  readonly ticket: string;
}

export interface Concluding {
  readonly holder: string;
  readonly run: string;
  readonly messageId: string;
}

/** `rerun`: who asked for another run meanwhile. `lost`: the lease had passed to another run. */
export type GivenBack = { readonly rerun?: Trigger } | 'lost';

export function leasesTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.businessDaysTable),
) {
  const table = itemTable(client, name);

  /**
   * When an answer is lost, the SDK repeats the request, and the condition fails because the first one succeeded. The
   * item then shows whose write it was.
   * @returns the item after the write; undefined if another run came first
   */
  async function heldWrite(
    businessDate: BusinessDate,
    write: Update,
    isOwn: (item: Item) => boolean,
  ): Promise<Item | undefined> {
    const item = await table.update(dayKey(businessDate), { ...write, ReturnValues: 'ALL_NEW' });
    if (item !== undefined) return item;
    const standing = await table.get(dayKey(businessDate), v.record(v.string(), v.unknown()));
    return standing !== undefined && isOwn(standing) ? standing : undefined;
  }

  /** In the same write as `changes`; undefined removes an attribute. */
  async function giveBack(
    businessDate: BusinessDate,
    holder: string,
    changes: Item = {},
  ): Promise<GivenBack> {
    const attributes = Object.keys(changes);
    const present = attributes.filter((attribute) => changes[attribute] !== undefined);
    const absent = attributes.filter((attribute) => changes[attribute] === undefined);
    const set = [
      'lastHolder = :holder',
      'handedOn = if_not_exists(rerun, :nothing)',
      ...present.map((attribute) => `#${attribute} = :${attribute}`),
    ];
    const remove = ['leaseHolder', 'leaseUntil', 'rerun', ...absent.map((attribute) => `#${attribute}`)];
    const names = Object.fromEntries(attributes.map((attribute) => [`#${attribute}`, attribute]));
    const item = await heldWrite(
      businessDate,
      {
        UpdateExpression: `SET ${set.join(', ')} REMOVE ${remove.join(', ')}`,
        ConditionExpression: 'leaseHolder = :holder',
        ...(attributes.length === 0 ? {} : { ExpressionAttributeNames: names }),
        values: {
          ':holder': holder,
          ':nothing': NOTHING_ASKED,
          ...Object.fromEntries(present.map((attribute) => [`:${attribute}`, changes[attribute]])),
        },
      },
      ({ lastHolder }) => lastHolder === holder,
    );
    if (item === undefined) return 'lost';
    const { handedOn } = parseWritten(v.object({ handedOn: v.picklist([...TRIGGERS, NOTHING_ASKED]) }), item);
    return handedOn === NOTHING_ASKED ? {} : { rerun: handedOn };
  }

  return {
    /** Undefined if another run has the lease. Creates the record of a day without transactions. */
    acquire: async (
      businessDate: BusinessDate,
      { holder, now, until, seal, goesOn, ratesFound }: LeaseRequest,
    ): Promise<BusinessDay | undefined> => {
      const free = '(attribute_not_exists(leaseUntil) OR leaseUntil < :now)';
      const item = await heldWrite(
        businessDate,
        {
          UpdateExpression: [
            'SET leaseHolder = :holder, leaseUntil = :until, revision = if_not_exists(revision, :one)',
            ...(seal ? ['sealedAt = if_not_exists(sealedAt, :now)'] : []),
          ]
            .join(', ')
            // A new run drops any walk that was to be continued.
            .concat(' REMOVE cutRun', ratesFound ? ', ratesMissing' : ''),
          ConditionExpression:
            goesOn === undefined ? free : `${free} AND (lastRun = :after OR lastMessage = :message)`,
          values: {
            ':holder': holder,
            ':until': until.toISOString(),
            ':now': now.toISOString(),
            ':one': 1,
            ...(goesOn === undefined ? {} : { ':after': goesOn.after, ':message': goesOn.messageId }),
          },
        },
        ({ leaseHolder }) => leaseHolder === holder,
      );
      return item && parseDay(item);
    },

    handOver: async (
      businessDate: BusinessDate,
      from: { readonly holder: string; readonly until: Date },
      { run, ticket }: CutRun,
    ): Promise<'handed over' | 'lost'> => {
      const item = await heldWrite(
        businessDate,
        {
          UpdateExpression: 'SET leaseHolder = :ticket, leaseUntil = :until, cutRun = :run',
          ConditionExpression: 'leaseHolder = :holder',
          values: {
            ':holder': from.holder,
            ':until': from.until.toISOString(),
            ':ticket': ticket,
            ':run': run,
          },
        },
        ({ leaseHolder }) => leaseHolder === ticket,
      );
      return item === undefined ? 'lost' : 'handed over';
    },

    /** If an invocation dies, its message resumes at the last saved part, unless another run has begun. */
    takeUp: async (
      businessDate: BusinessDate,
      { holder, now, until }: Pick<LeaseRequest, 'holder' | 'now' | 'until'>,
      { run, ticket }: CutRun,
    ): Promise<BusinessDay | undefined> => {
      const item = await heldWrite(
        businessDate,
        {
          UpdateExpression: 'SET leaseHolder = :holder, leaseUntil = :until',
          ConditionExpression:
            'leaseHolder = :ticket OR (cutRun = :run AND (attribute_not_exists(leaseUntil) OR leaseUntil < :now))',
          values: {
            ':holder': holder,
            ':until': until.toISOString(),
            ':now': now.toISOString(),
            ':ticket': ticket,
            ':run': run,
          },
        },
        ({ leaseHolder }) => leaseHolder === holder,
      );
      return item && parseDay(item);
    },

    /** False if nobody holds the lease. */
    requestRerun: async (businessDate: BusinessDate, by: Trigger, now: Date): Promise<boolean> => {
      const asked = await table.update(dayKey(businessDate), {
        // An operator's request outranks the schedule's, because it sends at once.
        UpdateExpression: by === 'operator' ? 'SET rerun = :by' : 'SET rerun = if_not_exists(rerun, :by)',
        ConditionExpression: 'leaseUntil >= :now',
        values: { ':by': by, ':now': now.toISOString() },
      });
      return asked !== undefined;
    },

    finish: async (day: BusinessDay, { holder, run, messageId }: Concluding): Promise<GivenBack> =>
      giveBack(day.businessDate, holder, {
        ...runAttributes(day),
        lastRun: run,
        lastMessage: messageId,
        cutRun: undefined,
      }),

    release: async (businessDate: BusinessDate, holder: string): Promise<GivenBack> =>
      giveBack(businessDate, holder),
  };
}

export type LeasesTable = ReturnType<typeof leasesTable>;
