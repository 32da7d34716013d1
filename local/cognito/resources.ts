import {
  each,
  existing,
  honoured,
  honours,
  inert,
  kebabCase,
  numberWithin,
  only,
  optionalBoolean,
  optionalText,
  propertyAt,
  randomId,
  recovery,
  refused,
  requiredText,
  tagMap,
  textListAt,
  type Place,
  type Provision,
  type ResourceRequest,
  type ResourceTypes,
  type UrlRewriter,
} from '../template/index.ts';
import { createUserPool, type UserPool } from './user-pool.ts';
import type { PasswordPolicy } from './users.ts';

interface UserPoolWorld extends Place {
  readonly httpUrl: string;
  readonly urls: UrlRewriter;
  readonly userPools: Map<string, UserPool>;
  /** The only user pool of an app is served without its name. */
  readonly userPoolCount: number;
}

const provisionUserPool: Provision<UserPoolWorld> = async (resource, world) => {
  const userPoolId = `${world.region}_${randomId(9, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789')}`;
  const name = kebabCase(`${resource.stackName}-${resource.logicalId}`);
  const path = world.userPoolCount === 1 ? '/identity' : `/identity/${name}`;
  const issuer = `${world.httpUrl}${path}`;
  const passwordPolicy = passwordPolicyOf(resource);
  world.userPools.set(userPoolId, await createUserPool({ userPoolId, issuer, passwordPolicy }));
  // CDK builds the issuer of a JWT authorizer from the pool's id.
  world.urls.add(`https://cognito-idp.${world.region}.amazonaws.com/${userPoolId}`, issuer);
  return {
    ref: userPoolId,
    attributes: {
      Arn: `arn:aws:cognito-idp:${world.region}:${world.accountId}:userpool/${userPoolId}`,
      ProviderName: issuer.replace(/^https?:\/\//, ''),
      ProviderURL: issuer,
      UserPoolId: userPoolId,
    },
  };
};

/** The default policy asks for 8 characters of four classes. */
function passwordPolicyOf(resource: ResourceRequest): PasswordPolicy {
  const path = 'Policies.PasswordPolicy';
  const isGiven = propertyAt(resource, path) !== undefined;
  const requires = (what: string): boolean => optionalBoolean(resource, `${path}.Require${what}`) ?? !isGiven;
  return {
    minimumLength: numberWithin(resource, `${path}.MinimumLength`, { minimum: 6, maximum: 99, byDefault: 8 }),
    requireUppercase: requires('Uppercase'),
    requireLowercase: requires('Lowercase'),
    requireNumbers: requires('Numbers'),
    requireSymbols: requires('Symbols'),
  };
}

const provisionUserPoolClient: Provision<UserPoolWorld> = (resource, world) => {
  const clientId = randomId(26);
  const clientName = optionalText(resource, 'ClientName');
  const clientSecret = optionalBoolean(resource, 'GenerateSecret') === true ? randomId(52) : undefined;
  poolOf(resource, world).addClient({
    clientId,
    ...(clientName === undefined ? {} : { clientName }),
    ...(clientSecret === undefined ? {} : { clientSecret }),
    allowedOAuthFlows: textListAt(resource, 'AllowedOAuthFlows'),
    allowedOAuthScopes: textListAt(resource, 'AllowedOAuthScopes'),
    explicitAuthFlows: textListAt(resource, 'ExplicitAuthFlows'),
    accessTokenValiditySeconds: validitySeconds(resource, 'AccessToken'),
    idTokenValiditySeconds: validitySeconds(resource, 'IdToken'),
  });
  return {
    ref: clientId,
    attributes: {
      ClientId: clientId,
      Name: clientName ?? resource.logicalId,
      ...(clientSecret === undefined ? {} : { ClientSecret: clientSecret }),
    },
  };
};

const UNIT_SECONDS: Readonly<Record<string, number>> = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 };

function validitySeconds(resource: ResourceRequest, token: 'AccessToken' | 'IdToken'): number {
  const unit = optionalText(resource, `TokenValidityUnits.${token}`) ?? 'hours';
  const seconds = existing(resource, UNIT_SECONDS[unit], `TokenValidityUnits.${token} ${unit} is no unit.`);
  const limits = { minimum: 300 / seconds, maximum: 86_400 / seconds, byDefault: 3600 / seconds };
  return numberWithin(resource, `${token}Validity`, limits) * seconds;
}

const provisionUserPoolDomain: Provision<UserPoolWorld> = (resource, world) => {
  const domain = requiredText(resource, 'Domain');
  const pool = poolOf(resource, world);
  world.urls.add(`https://${domain}.auth.${world.region}.amazoncognito.com`, pool.issuer);
  return { ref: domain, attributes: { Domain: domain, CloudFrontDistribution: '' } };
};

const provisionResourceServer: Provision<UserPoolWorld> = (resource, world) => {
  poolOf(resource, world);
  const identifier = requiredText(resource, 'Identifier');
  return { ref: identifier, attributes: { Identifier: identifier } };
};

function poolOf(resource: ResourceRequest, world: UserPoolWorld): UserPool {
  const userPoolId = requiredText(resource, 'UserPoolId');
  const pool = world.userPools.get(userPoolId);
  return existing(resource, pool, `UserPoolId ${userPoolId} names no user pool of this app.`);
}

const noMail = inert('The host sends no mail.');
const noTextMessages = inert('The host sends no messages.');
const noAttributes = inert('Users have no attributes here.');

export const COGNITO_TYPES: ResourceTypes<UserPoolWorld> = {
  'AWS::Cognito::UserPool': {
    provision: provisionUserPool,
    properties: {
      ...honours(
        'UserPoolName Policies.PasswordPolicy.MinimumLength',
        'Policies.PasswordPolicy.RequireLowercase Policies.PasswordPolicy.RequireNumbers',
        'Policies.PasswordPolicy.RequireSymbols Policies.PasswordPolicy.RequireUppercase',
      ),
      ...each(
        'AccountRecoverySetting.RecoveryMechanisms[].',
        inert('Every password is right here.'),
        'Name Priority',
      ),
      ...each(
        'AdminCreateUserConfig.',
        inert('Everybody may sign in here, and nobody is written to.'),
        'AllowAdminCreateUserOnly UnusedAccountValidityDays',
        ...['EmailMessage', 'EmailSubject', 'SMSMessage'].map((path) => `InviteMessageTemplate.${path}`),
      ),
      AliasAttributes: refused('Users are known by their name alone.'),
      AutoVerifiedAttributes: inert('Every user exists here.'),
      DeletionProtection: recovery,
      ...each(
        'DeviceConfiguration.',
        inert('Devices are not remembered.'),
        'ChallengeRequiredOnNewDevice DeviceOnlyRememberedOnUserPrompt',
      ),
      ...each(
        'EmailConfiguration.',
        noMail,
        'ConfigurationSet EmailSendingAccount From ReplyToEmailAddress SourceArn',
      ),
      EmailVerificationMessage: noMail,
      EmailVerificationSubject: noMail,
      EnabledMfas: refused('There is no second factor here.'),
      LambdaConfig: refused('Triggers of a user pool are not invoked.'),
      MfaConfiguration: only(/^(OFF|OPTIONAL)$/),
      'Policies.PasswordPolicy.PasswordHistorySize': inert('Every password signs in here.'),
      'Policies.PasswordPolicy.TemporaryPasswordValidityDays': inert('Passwords do not expire here.'),
      'Policies.SignInPolicy': refused('Users sign in by password alone.'),
      ...each(
        'Schema[].',
        noAttributes,
        'AttributeDataType DeveloperOnlyAttribute Mutable Name Required',
        'NumberAttributeConstraints.MaxValue NumberAttributeConstraints.MinValue',
        'StringAttributeConstraints.MaxLength StringAttributeConstraints.MinLength',
      ),
      ...each('SmsConfiguration.', noTextMessages, 'ExternalId', 'SnsCallerArn', 'SnsRegion'),
      SmsVerificationMessage: noTextMessages,
      'UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate': noAttributes,
      ...each(
        'UserPoolAddOns.',
        inert('The host does not look for attacks.'),
        'AdvancedSecurityMode AdvancedSecurityAdditionalFlows.CustomAuthMode',
      ),
      ...tagMap('UserPoolTags'),
      UserPoolTier: inert('Tiers differ in price and in features that are refused.'),
      UsernameAttributes: refused('Users are known by their name alone.'),
      'UsernameConfiguration.CaseSensitive': inert('User names are lower case here.'),
      ...each(
        'VerificationMessageTemplate.',
        noMail,
        'DefaultEmailOption EmailMessage EmailMessageByLink EmailSubject EmailSubjectByLink',
        'SmsMessage',
      ),
    },
  },
  'AWS::Cognito::UserPoolClient': {
    provision: provisionUserPoolClient,
    properties: {
      ...honours(
        'UserPoolId ClientName GenerateSecret AllowedOAuthFlows AllowedOAuthScopes',
        'ExplicitAuthFlows AccessTokenValidity IdTokenValidity',
      ),
      AllowedOAuthFlowsUserPoolClient: inert('Follows from the flows allowed.'),
      RefreshTokenValidity: inert('Refresh tokens do not expire while the host runs.'),
      ...each('TokenValidityUnits.', honoured, 'AccessToken', 'IdToken', 'RefreshToken'),
      AuthSessionValidity: inert('Sign-in takes one step.'),
      CallbackURLs: inert('There is no sign-in page.'),
      DefaultRedirectURI: inert('There is no sign-in page.'),
      LogoutURLs: inert('There is no sign-in page.'),
      EnableTokenRevocation: inert('Tokens can not be revoked here.'),
      PreventUserExistenceErrors: inert('Every user exists here.'),
      ReadAttributes: noAttributes,
      ...each(
        'RefreshTokenRotation.',
        inert('Refresh tokens do not expire while the host runs.'),
        'Feature RetryGracePeriodSeconds',
      ),
      SupportedIdentityProviders: only(/^COGNITO$/),
      WriteAttributes: noAttributes,
    },
  },
  'AWS::Cognito::UserPoolDomain': {
    provision: provisionUserPoolDomain,
    properties: {
      ...honours('UserPoolId Domain'),
      ManagedLoginVersion: inert('There is no sign-in page.'),
      CustomDomainConfig: refused('Only prefix domains are mapped to the local issuer.'),
    },
  },
  'AWS::Cognito::UserPoolResourceServer': {
    provision: provisionResourceServer,
    properties: {
      ...honours('UserPoolId Identifier Name'),
      ...each(
        'Scopes[].',
        inert('What a client may ask for stands with the client.'),
        'ScopeDescription ScopeName',
      ),
    },
  },
};
