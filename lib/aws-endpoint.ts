import { Validations } from 'aws-cdk-lib';
import { CfnFunction, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';

/**
 * With `-c awsEndpointUrl=<url>`, and never otherwise, declares the variables that lead a function in a container of
 * `sam local` to the AWS endpoint of the local host. `sam local` hands on only what the template declares; what it hands
 * on then comes from the file that `npm start` writes.
 *
 * Such a template is not for AWS: Lambda keeps some of these names to itself, and refuses to create the function.
 *
 * @throws Error if the value is not a URL
 */
export function declareAwsEndpoint(lambda: LambdaFunction): void {
  const value: unknown = lambda.node.tryGetContext('awsEndpointUrl');
  if (value === undefined) return;
  const endpoint = typeof value === 'string' ? value : '';
  if (!/^https?:$/.test(protocolOf(endpoint))) {
    throw new Error(
      `awsEndpointUrl is a URL that a container reaches the AWS endpoint by, such as http://host.docker.internal:4566, not ${JSON.stringify(value)}.`,
    );
  }
  const { defaultChild } = lambda.node;
  if (!(defaultChild instanceof CfnFunction)) throw new Error(`${lambda.node.path} has no resource.`);
  for (const [name, text] of Object.entries({
    AWS_ENDPOINT_URL: endpoint.replace(/\/+$/, ''),
    // An override, because the construct refuses the names that Lambda sets itself.
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    // Else `sam local` hands on the token of whoever is signed in to AWS.
    AWS_SESSION_TOKEN: '',
  })) {
    defaultChild.addPropertyOverride(`Environment.Variables.${name}`, text);
  }
  Validations.of(lambda).acknowledge({
    id: 'CloudFormation-Validate::E3663',
    reason: 'Lambda keeps these names to itself on AWS; `sam local`, which this template is for, does not.',
  });
}

function protocolOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : '';
}
