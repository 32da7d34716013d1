import { Aws, CfnOutput, Duration, RemovalPolicy, Stack, Validations, type StackProps } from 'aws-cdk-lib';
import {
  FeaturePlan,
  OAuthScope,
  ResourceServerScope,
  UserPool,
  type UserPoolClient,
} from 'aws-cdk-lib/aws-cognito';
import type { Construct } from 'constructs';
import { scopes } from '../lambda/card-settlement/contract.ts';
import type { StageConfig } from './config.ts';

export interface IdentityStackProps extends StackProps {
  readonly config: StageConfig;
}

export class IdentityStack extends Stack {
  /** Exact value of the tokens' `iss`. */
  readonly issuer: string;
  readonly gatewayClient: UserPoolClient;
  readonly operatorClient: UserPoolClient;
  readonly chatClient: UserPoolClient;

  constructor(scope: Construct, id: string, props: IdentityStackProps) {
    super(scope, id, props);
    const { config } = props;
    const users = new UserPool(this, 'Users', {
      selfSignUpEnabled: false,
      signInCaseSensitive: false,
      signInAliases: { username: true },
      featurePlan: FeaturePlan.ESSENTIALS,
      passwordPolicy: {
        minLength: 12,
        requireDigits: true,
        requireLowercase: true,
        requireUppercase: true,
        requireSymbols: true,
      },
      deletionProtection: config.keepsData,
      removalPolicy: config.keepsData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    });
    Validations.of(users).acknowledge(
      {
        id: 'AwsSolutions-COG2',
        reason:
          'Gateways and operators are programs that sign in by client credentials, which knows no second factor. Chat users are made by an administrator, reach their own conversations only, and sign in with a password from a command that could not ask for another factor.',
      },
      {
        id: 'AwsSolutions-COG8',
        reason:
          'What the plus plan adds, scoring each sign-in of a person by device and place, covers neither client credentials nor an app without a sign-in page, and is billed for every user of a month.',
      },
    );
    const write = new ResourceServerScope({
      scopeName: nameInServer(scopes.write),
      scopeDescription: 'Report transactions',
    });
    const read = new ResourceServerScope({
      scopeName: nameInServer(scopes.read),
      scopeDescription: 'Read transactions, days and settlements',
    });
    const operate = new ResourceServerScope({
      scopeName: nameInServer(scopes.operate),
      scopeDescription: 'Operate the settlement',
    });
    const server = users.addResourceServer('Scopes', {
      identifier: scopes.resourceServer,
      scopes: [write, read, operate],
    });
    // The account's number makes the prefix unique in the region.
    const domain = users.addDomain('Domain', {
      cognitoDomain: { domainPrefix: `duotempo-${config.stage}-${Aws.ACCOUNT_ID}` },
    });

    const machine = (name: string, granted: readonly ResourceServerScope[]): UserPoolClient =>
      users.addClient(name, {
        generateSecret: true,
        disableOAuth: false,
        authFlows: {},
        oAuth: {
          flows: { clientCredentials: true },
          scopes: granted.map((each) => OAuthScope.resourceServer(server, each)),
        },
        accessTokenValidity: Duration.hours(1),
        preventUserExistenceErrors: true,
      });
    this.gatewayClient = machine('Gateway', [write, read]);
    this.operatorClient = machine('Operator', [operate, read]);
    this.chatClient = users.addClient('Chat', {
      disableOAuth: true,
      authFlows: { userPassword: true },
      accessTokenValidity: Duration.hours(1),
      idTokenValidity: Duration.hours(1),
      refreshTokenValidity: Duration.days(30),
      preventUserExistenceErrors: true,
      enableTokenRevocation: true,
    });
    this.issuer = users.userPoolProviderUrl;

    for (const [name, value] of Object.entries({
      Issuer: this.issuer,
      TokenUrl: `${domain.baseUrl()}/oauth2/token`,
      UserPoolId: users.userPoolId,
      GatewayClientId: this.gatewayClient.userPoolClientId,
      OperatorClientId: this.operatorClient.userPoolClientId,
      ChatClientId: this.chatClient.userPoolClientId,
    })) {
      new CfnOutput(this, name, { value });
    }
  }
}

function nameInServer(scope: string): string {
  return scope.slice(scopes.resourceServer.length + 1);
}
