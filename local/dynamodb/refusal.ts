export interface Refusal extends Error {
  readonly statusCode: number;
  readonly body: object;
}

function refusal(type: string, message: string, told: object): Refusal {
  return Object.assign(new Error(message), { statusCode: 400, body: { __type: type, ...told } });
}

export function validationError(message: string): Refusal {
  return refusal('com.amazon.coral.validate#ValidationException', message, { message });
}

/** As recorded on AWS: only this error writes `Message`. */
export function conditionError(item: object | undefined): Refusal {
  const Message = 'The conditional request failed';
  return refusal('com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException', Message, {
    Message,
    ...(item === undefined ? {} : { Item: item }),
  });
}

export function notFoundError(): Refusal {
  const message = 'Requested resource not found';
  return refusal('com.amazonaws.dynamodb.v20120810#ResourceNotFoundException', message, { message });
}
