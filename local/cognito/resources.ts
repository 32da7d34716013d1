import {
  each,
  honoured,
  honours,
  inert,
  only,
  recovery,
  refused,
  tagMap,
  type ResourceTypes,
} from '../template/index.ts';
import {
  provisionResourceServer,
  provisionUserPool,
  provisionUserPoolClient,
  provisionUserPoolDomain,
  type UserPoolWorld,
} from './provision-user-pool.ts';

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
