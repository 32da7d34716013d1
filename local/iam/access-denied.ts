import { awsError, type AwsAnswer } from '../endpoint/aws-service.ts';
import { sessionArn, type AccessRequest, type Decision } from './evaluate.ts';

type Denial = Extract<Decision, { isAllowed: false }>;

/**
 * A refusal in AWS's words.
 *
 * Source: IAM user guide, "Troubleshoot access denied error messages". SQS writes actions in lower case, and API
 * Gateway neither tells which connection nor why, nor the whole account.
 */
export function deniedMessage({ principal, action, resourceArn }: AccessRequest, denial: Denial): string {
  const who =
    principal.kind === 'role' ? `User: ${sessionArn(principal)}` : `Resource: ${principal.sourceArn}`;
  if (action.startsWith('execute-api:')) {
    const masked = resourceArn
      .replace(/:\d{8}(\d{4}):/, ':********$1:')
      .replace(/@connections\/.*$/, '@connections/{connectionId}');
    return `${who} is not authorized to perform: ${action} on resource: ${masked}`;
  }
  const named = action.startsWith('sqs:') ? action.toLowerCase() : action;
  const article = denial.policyType === 'identity-based policy' ? 'an' : 'a';
  const reason = denial.isExplicit
    ? `with an explicit deny in ${article} ${denial.policyType}`
    : `because no ${denial.policyType} allows the ${named} action`;
  return `${who} is not authorized to perform: ${named} on resource: ${resourceArn} ${reason}`;
}

/** How the service answers that refuses a call: the SDK names the error as it does on AWS. */
export function deniedAnswer(service: string, message: string): AwsAnswer {
  if (service === 'execute-api') {
    // A REST service: the error's name stands in a header.
    return {
      status: 403,
      headers: { 'x-amzn-errortype': 'AccessDeniedException' },
      body: { Message: message },
    };
  }
  const answer = awsError('com.amazon.coral.service#AccessDeniedException', message);
  return service === 'sqs'
    ? // Clients written for SQS's older protocol go by this code.
      { ...answer, status: 403, headers: { 'x-amzn-query-error': 'AccessDenied;Sender' } }
    : answer;
}
