/** What DynamoDB answers in place of what was asked for. */
export interface Refusal extends Error {
  readonly statusCode: number;
  readonly body: object;
}

export function validationError(message: string): Refusal {
  return Object.assign(new Error(message), {
    statusCode: 400,
    body: { __type: 'com.amazon.coral.validate#ValidationException', message },
  });
}

/** As recorded on AWS: of all its errors this one alone writes `Message`. */
export function conditionError(item: object | undefined): Refusal {
  const Message = 'The conditional request failed';
  return Object.assign(new Error(Message), {
    statusCode: 400,
    body: {
      __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException',
      Message,
      ...(item === undefined ? {} : { Item: item }),
    },
  });
}

/** Of a table that does not exist, or not yet. */
export function notFoundError(): Refusal {
  const message = 'Requested resource not found';
  return Object.assign(new Error(message), {
    statusCode: 400,
    body: { __type: 'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException', message },
  });
}
