import { type App, Aspects, CfnResource, Validations } from 'aws-cdk-lib';
import { Architecture, CfnFunction, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';

/**
 * With `-c awsEndpointUrl=<url>`, prepares a function for a container of `sam local`: its architecture, and variables
 * that lead to the local host. `sam local` passes on only variables that the template declares; `npm start` writes
 * their values to a file. AWS refuses such a template, because Lambda reserves some of these names.
 * @throws Error if the value is not a URL
 */
export function prepareForContainer(lambda: LambdaFunction): void {
  const value = awsEndpointUrl(lambda);
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
    // An override, because the construct refuses names that Lambda reserves.
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    // Otherwise `sam local` passes on the token of the person who is signed in to AWS.
    AWS_SESSION_TOKEN: '',
    // Lambda's own value. Powertools warns if an image brings /etc/localtime.
    TZ: ':UTC',
  })) {
    defaultChild.addPropertyOverride(`Environment.Variables.${name}`, text);
  }
  defaultChild.architectures = [thisMachine().name];
  Validations.of(lambda).acknowledge({
    id: 'CloudFormation-Validate::E3663',
    reason: 'Lambda keeps these names to itself on AWS; `sam local`, which this template is for, does not.',
  });
}

/** With `-c awsEndpointUrl=<url>`: SAM warns about construct paths that it cannot read. */
export function omitConstructPaths(app: App): void {
  if (awsEndpointUrl(app) === undefined) return;
  Aspects.of(app).add({
    visit: (node) => {
      if (node instanceof CfnResource) delete node.cfnOptions.metadata?.['aws:cdk:path'];
    },
  });
}

function awsEndpointUrl({ node }: Construct): unknown {
  return node.tryGetContext('awsEndpointUrl');
}

function thisMachine(): Architecture {
  return process.arch === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64;
}

function protocolOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : '';
}
