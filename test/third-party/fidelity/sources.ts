/** The source of each rule of AWS that the host follows. A rule is the title of its test, named here by how it begins. */

export interface Rules {
  readonly file: string;
  /** By source: a guide and its section, or what AWS answered when it was asked. */
  readonly documented: Readonly<Record<string, readonly string[]>>;
  readonly recorded?: Readonly<Record<string, readonly string[]>>;
  /** By rule: what AWS does otherwise. */
  readonly differences?: Readonly<Record<string, string>>;
  /** Titles that say how the host is made, not what AWS does. */
  readonly ours?: readonly string[];
}

export const SERVICES: Readonly<Record<string, readonly Rules[]>> = {
  SQS: [
    {
      file: 'test/local/sqs/queues.test.ts',
      documented: {
        'SQS developer guide, "Visibility timeout"': [
          'a received message is invisible',
          'a visibility timeout can be changed',
        ],
        'SQS API reference, DeleteMessage': ['a deleted message', 'the latest receipt still deletes'],
        'SQS developer guide, "Dead-letter queues"': ['a message past its receive limit'],
        'SQS developer guide, "Delay queues" and "Message timers"': ['a delayed message'],
        'SQS developer guide, "Message quotas"': ['messages older than', 'a batch takes at most'],
        'SQS developer guide, "Short and long polling"': ['a long poll answers'],
        'SQS API reference, SendMessage': ['a body is text that XML can hold'],
        'SQS API reference, ReceiveMessage': ['system attributes come'],
        'SQS developer guide, "Amazon SQS message metadata"': ['message attributes with'],
        'SQS API reference, SetQueueAttributes': ['a redrive policy with'],
        'Lambda developer guide, "Recursive loop detection"': ['a message keeps the trace header'],
      },
      recorded: {
        dead_letter_queue_message_attributes: ['a dead letter says'],
        receive_empty_queue: ['what is empty is left out'],
        delete_after_visibility_timeout: ['what is no receipt handle'],
        change_message_visibility_after_visibility_timeout_expiration: ['a visibility timeout is changed'],
        message_attribute_names_filters: ['%j selects message attributes'],
        list_queues_pagination: ['queues are listed in pages'],
        non_existent_queue: ['an error has the names'],
        successive_purge_calls_fail: ['a purge empties'],
        send_message_via_queue_url_with_json_protocol: ['a queue is known by'],
        aws_trace_header_propagation: ['the trace header comes only', 'a receiver that waits already'],
      },
      ours: [
        'the counts settle',
        'a message that comes back',
        'a client that goes away',
        'an operation that the host lacks',
        '5,000 messages',
        'canary',
      ],
    },
    {
      file: 'test/local/sqs/move-tasks.test.ts',
      documented: {
        'SQS API reference, StartMessageMoveTask': [
          'messages go back to the queue',
          'or to another one',
          'what was sent to the dead-letter queue itself',
          'a queue that is no dead-letter queue',
          '%s is refused',
        ],
      },
      differences: {
        'or to another one': 'AWS goes on for some seconds after a cancel; here it stops at once',
      },
    },
  ],
  'Lambda: event source mappings': [
    {
      file: 'test/local/lambda/event-source-mapping.test.ts',
      documented: {
        'Lambda developer guide, "Using Lambda with Amazon SQS"': [
          'a mapping %s',
          'success deletes the batch',
          'a full batch goes at once',
          'messages that come within the window',
          'a batch stays under 6 MB',
        ],
        'Lambda developer guide, "Configuring scaling behavior for SQS event source mappings"': [
          'each poller batches alone',
        ],
        'Lambda developer guide, "Handling errors for an SQS event source"': [
          '%s deletes nothing',
          'only the reported failures come again',
          'without ReportBatchItemFailures',
        ],
        'Lambda developer guide, "Recursive loop detection"': [
          'what has invoked the function 16 times',
          'a function that allows recursion',
        ],
        'Lambda developer guide, "Execution role permissions"': ['pollers call as'],
      },
      recorded: { message_body_and_attributes_passed_correctly: ['a record has every field'] },
      ours: ['stopping ends'],
    },
    {
      file: 'test/local/lambda/batch-response.test.ts',
      documented: {},
      recorded: {
        report_batch_item_failures: [
          'the whole batch succeeded for',
          'the whole batch failed for',
          'only what is named',
        ],
      },
    },
    {
      file: 'test/local/patterns/event-pattern.test.ts',
      documented: {
        'EventBridge user guide, "Event pattern quotas"': ['an event pattern › that combines more'],
        'EventBridge user guide, "Comparison operators"': ['an event pattern › on %s'],
      },
      ours: ['an event pattern › the host does not understand'],
    },
  ],
  'Lambda: functions': [
    {
      file: 'test/local/lambda/function-pool.test.ts',
      documented: {
        'Lambda developer guide, "Visualize Lambda function invocations using AWS X-Ray"': [
          'a handler › finds the trace header',
        ],
        'Lambda developer guide, "Define Lambda function handler in Node.js"': [
          'a handler › gets the event',
          'a handler › is found in',
          'a handler › with a callback',
        ],
        'Lambda developer guide, "Using the Lambda context object"': ['a handler › gets the context'],
        'Lambda developer guide, "Understanding the Lambda execution environment lifecycle"': [
          'a handler › keeps its module',
          'a failure is an outcome, never a rejection › an exception gives',
          'a failure is an outcome, never a rejection › %s ends the worker',
          'a failure is an outcome, never a rejection › %s is ended at the timeout',
          'a failure is an outcome, never a rejection › initialization',
          'a failure is an outcome, never a rejection › a bundle',
          'concurrency › a worker runs one',
        ],
        'Lambda developer guide, "Lambda environment variables"': ["the environment › is the template's"],
        'Lambda developer guide, "Log and monitor Node.js Lambda functions"': [
          'the environment › hands on',
          'a function that logs JSON › ',
        ],
        'Lambda developer guide, "Lambda quotas"': [
          'a failure is an outcome, never a rejection › a response that is not JSON',
          'concurrency › of an account',
        ],
        'Lambda developer guide, "Configuring reserved concurrency for a function"': [
          'concurrency › that a function reserves',
          'concurrency › reserved concurrency throttles',
        ],
      },
      differences: {
        'concurrency › a worker runs one':
          'the number of workers is the laptop’s, beyond which invocations wait',
      },
      ours: [
        'a failure is an outcome, never a rejection › only an ARN',
        'concurrency › more workers',
        'concurrency › quick invocations',
        'concurrency › a flood',
        'concurrency › more functions',
        'control › ',
      ],
    },
    {
      file: 'test/local/lambda/trace.test.ts',
      documented: {
        'Lambda developer guide, "Recursive loop detection"': [
          'the trace header of an invocation › goes on',
          'the trace header of an invocation › begins a chain',
        ],
      },
      recorded: {
        aws_trace_header_propagation: ['the trace header of an invocation › has the form'],
      },
      ours: ['the trace header of an invocation › stays short'],
    },
    {
      file: 'test/end-to-end/account-concurrency.test.ts',
      documented: {
        'Lambda developer guide, "Understanding Lambda function scaling"': ['a burst beyond it'],
      },
      ours: ['four callers at once'],
    },
  ],
  DynamoDB: [
    {
      file: 'test/local/dynamodb/operations.test.ts',
      documented: {
        'DynamoDB developer guide, "Condition and filter expressions"': ['of two writers'],
        'DynamoDB developer guide, "Update expressions"': ['updates compute'],
        'DynamoDB developer guide, "Querying tables"': ['a query pages through', 'a query starts within'],
        'DynamoDB developer guide, "Using Global Secondary Indexes"': [
          'items of equal index key',
          'an index follows its items',
          'an index answers what it projects',
        ],
        'DynamoDB developer guide, "DynamoDB read consistency"': ['a consistent read works'],
        'DynamoDB API reference, BatchGetItem': ['BatchGetItem answers'],
        'DynamoDB API reference, Scan': ['a scan sees every item once'],
      },
      differences: { 'an index follows its items': 'an index of AWS follows within a second, not at once' },
      ours: ['an operation or a parameter that the host lacks', 'reads of a partition'],
    },
    {
      file: 'test/local/dynamodb/edges.test.ts',
      documented: {
        'DynamoDB developer guide, "Projection expressions" and "Local Secondary Indexes"; DynamoDB Local': [
          'an index › ',
        ],
        'DynamoDB developer guide, "Constraints in Amazon DynamoDB"; DynamoDB Local': [
          'a key › ',
          'sizes are in bytes › of an item',
          'limits › ',
        ],
        'DynamoDB developer guide, "Paginating table query results"; DynamoDB Local': [
          'sizes are in bytes › of a page',
        ],
        'DynamoDB API reference, BatchGetItem; DynamoDB Local': ['sizes are in bytes › of a batch'],
        'DynamoDB developer guide, "Condition and filter expressions"; DynamoDB Local': [
          'an expression without sense',
          'a condition › finds nothing equal',
          'a condition › compares deep values',
        ],
        'DynamoDB developer guide, "Data types"; DynamoDB Local': ['a number › '],
        'DynamoDB API reference, PutItem, UpdateItem, Query; DynamoDB Local': ['what an answer may hold › '],
        'DynamoDB developer guide, "Update expressions"; DynamoDB Local': ['actions of one update'],
      },
      ours: ['a condition › on what is missing'],
    },
    {
      file: 'test/local/dynamodb/capacity.test.ts',
      documented: {
        'DynamoDB developer guide, "DynamoDB item sizes and formats"': ['the size of an item › '],
        'DynamoDB developer guide, "DynamoDB read and write operations"': ['a write › ', 'a read › '],
        'DynamoDB API reference, ReturnConsumedCapacity': ['nobody who did not ask'],
      },
    },
    {
      file: 'test/local/dynamodb/streams.test.ts',
      documented: {
        'DynamoDB developer guide, "Change data capture for DynamoDB Streams"': [
          'a stream › has one record',
          'a stream › of %s has a new image',
          'a stream › has no record',
          'a stream › has the records of BatchWriteItem',
          'a stream › keeps the order',
          'a stream › does not exist',
          'what a stream keeps › is 24 hours',
        ],
        'DynamoDB Streams API reference, GetRecords and GetShardIterator': [
          'a stream › has records in the form',
          'a stream › answers sequence numbers',
        ],
        'DynamoDB developer guide, "DynamoDB Streams and Time to Live"': ['an item that expires'],
        'DynamoDB Streams API reference, TrimmedDataAccessException': ['what a stream keeps › is bounded'],
        'DynamoDB developer guide, "Data types"': ['items are the same'],
      },
      differences: {
        'a stream › has one record': 'a stream here has one shard that never ends',
        'what a stream keeps › is bounded': 'AWS trims by age alone',
        'an item that expires': 'expired items go when the clock is moved; on AWS they go within days',
      },
    },
    {
      file: 'test/local/dynamodb/tables.test.ts',
      documented: {
        'DynamoDB API reference, DescribeTable, DeleteTable, DescribeTimeToLive': [
          'a table of a template › ',
        ],
        'DynamoDB API reference, "Common errors"': ['what is refused › '],
      },
      recorded: {
        valid_local_secondary_index: ['a table that goes'],
      },
      differences: {
        'a table of a template › tells whether its items expire':
          'expired items go when the clock is moved; on AWS they go within days',
      },
    },
  ],
  'EventBridge Pipes': [
    {
      file: 'test/local/pipes/pipe.test.ts',
      documented: {
        'EventBridge user guide, "Amazon DynamoDB stream as a source"': [
          'records come in order',
          'TRIM_HORIZON',
          'it polls four times',
          'a window gathers',
          'a record older than',
          'after MaximumRetryAttempts',
        ],
        'EventBridge user guide, "Event filtering in Amazon EventBridge Pipes"': [
          'a filter drops records',
          'a record is sent if',
        ],
        'EventBridge user guide, "Amazon EventBridge Pipes batching and concurrency"': [
          'only failed entries',
          'a target that can not be reached',
          'a pipe that stops before',
        ],
        'EventBridge user guide, "Permissions for Amazon EventBridge Pipes"': ['it reads and sends as'],
      },
      ours: ['a pipe that is stopped', 'on demand every batch', 'it says how long'],
    },
    {
      file: 'test/local/patterns/input-template.test.ts',
      documented: {
        'EventBridge user guide, "Amazon EventBridge Pipes input transformation"': ['an input template'],
      },
      ours: ['an input template › the host does not understand'],
    },
  ],
  'EventBridge Scheduler': [
    {
      file: 'test/local/scheduler/schedule.test.ts',
      documented: {
        'Scheduler user guide, "Schedule types in EventBridge Scheduler"': [
          'cron › ',
          'rate › ',
          'at happens once',
          '%s is refused',
          'a time zone that',
        ],
        'Scheduler user guide, "Managing a schedule"': ['a schedule calls'],
        'Scheduler user guide, "Configuring flexible time windows"': ['a flexible window'],
        'Scheduler API reference, RetryPolicy': ['a target that fails', 'an event that has grown'],
      },
      ours: ['stopping ends'],
    },
  ],
  'API Gateway: HTTP APIs': [
    {
      file: 'test/local/api-gateway/http-api.test.ts',
      documented: {
        'API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs"': [
          'the event of payload format 2.0 › ',
          'the response › without a status code',
          'the response › has the status',
          'the response › may be encoded',
          'the response › that is unreadable',
          'the response › to a function error',
        ],
        'API Gateway developer guide, "Create routes for HTTP APIs"': [
          'routes › %s %s goes to',
          'routes › without a match',
          'routes › with a malformed key',
        ],
        'RFC 9110, "HTTP Semantics"': [
          'the response › of status 204',
          'the response › to HEAD',
          'strange requests › ',
          'a request that offers another protocol › ',
          'a request that does not end › ',
        ],
        'API Gateway developer guide, "Quotas for configuring and running an HTTP API"': [
          'the response › that comes after',
          'limits › a body over',
          'limits › headers over',
        ],
        'API Gateway developer guide, "Throttle requests to your HTTP APIs"': ["limits › beyond the stage's"],
        'API Gateway developer guide, "Control access to HTTP APIs with JWT authorizers"': [
          'a route with a JWT authorizer › ',
        ],
      },
      ours: ['routes › of another prefix', 'a taken port'],
    },
    {
      file: 'test/local/api-gateway/jwt-authorizer.test.ts',
      documented: {
        'API Gateway developer guide, "Control access to HTTP APIs with JWT authorizers"': [
          'a token is accepted › ',
          'a token is refused › ',
        ],
      },
      ours: ['a verified token › '],
    },
    {
      file: 'test/local/api-gateway/token-bucket.test.ts',
      documented: {
        'API Gateway developer guide, "Throttle requests to your HTTP APIs"': ['the token bucket › '],
      },
    },
  ],
  'API Gateway: WebSocket APIs': [
    {
      file: 'test/local/api-gateway/web-socket-api.test.ts',
      documented: {
        'API Gateway developer guide, "Manage connected users and client apps: $connect and $disconnect routes"':
          ['$connect › ', '$disconnect › ', 'a client that leaves'],
        'API Gateway developer guide, "Control access to WebSocket APIs with AWS Lambda REQUEST authorizers"':
          ['the authorizer › '],
        'API Gateway developer guide, "Create routes for WebSocket APIs"': ['a message › '],
        'API Gateway developer guide, "Quotas for configuring and running a WebSocket API"': ['limits › '],
        'API Gateway developer guide, "Use @connections commands in your backend service"': [
          '@connections › ',
        ],
        'RFC 6455, "The WebSocket Protocol"': ['an upgrade that is no WebSocket'],
      },
    },
    {
      file: 'test/end-to-end/aws-rules.test.ts',
      documented: {
        'API Gateway developer guide, "Set up a WebSocket API integration response"': [
          'a mock integration on $connect',
          'with the integration response',
        ],
        'API Gateway developer guide, "Configure logging for a WebSocket API"': [
          'a WebSocket API with an access log',
        ],
        'Lambda developer guide, "Recursive loop detection"': ['a drain of more than 16 passes ends'],
      },
      ours: ['a drain of more than 16 passes catches up'],
    },
  ],
  IAM: [
    {
      file: 'test/local/iam/policies.test.ts',
      documented: {
        'IAM user guide, "Policy evaluation logic"': [
          'an identity-based policy › ',
          'a resource-based policy › ',
        ],
        'IAM user guide, "AWS global condition context keys"': ['a condition › '],
        'IAM user guide, "Troubleshoot access denied error messages"': ['AWS says › '],
        'Service authorization reference': ['a call of the AWS endpoint needs'],
      },
      ours: [
        'what the host does not understand',
        'a part is taken away',
        'a call of the AWS endpoint needs › the connection',
      ],
    },
    {
      file: 'test/local/iam/statements.test.ts',
      documented: {
        'IAM user guide, "Policy evaluation logic"': ['a role › '],
        'Lambda developer guide, "Defining Lambda function permissions with an execution role"': [
          'without a log group',
        ],
        'Scheduler user guide, "Setting up": execution role': ['a schedule invokes only'],
      },
      ours: ['%s stops the start'],
    },
    {
      file: 'test/end-to-end/policy-removal.test.ts',
      documented: {
        'IAM user guide, "Policy evaluation logic"': [
          'an app that lacks grants › ',
          'an app is refused as it is made',
        ],
      },
    },
  ],
  Cognito: [
    {
      file: 'test/local/cognito/user-pool.test.ts',
      documented: {
        'Cognito developer guide, "Token endpoint"': ['the token endpoint › '],
        'Cognito developer guide, "Verifying JSON web tokens"': ['discovery › '],
        'Cognito API reference, InitiateAuth': ['InitiateAuth › '],
        'Cognito API reference, DescribeUserPoolClient': ['DescribeUserPoolClient › '],
        'Cognito API reference, AdminCreateUser, AdminSetUserPassword, AdminDeleteUser, ListUsers': [
          'an administrator › ',
        ],
      },
      differences: { 'InitiateAuth › signs a user in': 'any password is right here' },
    },
  ],
};
