import { App } from 'aws-cdk-lib';
import { omitConstructPaths } from '../lib/aws-endpoint.ts';
import { CardSettlementStack } from '../lib/card-settlement-stack.ts';
import { ChatStack } from '../lib/chat-stack.ts';
import { stageConfig } from '../lib/config.ts';
import { IdentityStack } from '../lib/identity-stack.ts';
import { stackNameOf } from '../lib/stage-names.ts';

export const app = new App();
omitConstructPaths(app);
const config = stageConfig(app.node.tryGetContext('stage') ?? 'sandbox');
const alarmEmail: unknown = app.node.tryGetContext('alarmEmail');
const alarmEmails = typeof alarmEmail === 'string' ? alarmEmail.split(',') : [];
const identity = new IdentityStack(app, stackNameOf(config.stage, 'Identity'), {
  config,
  description: 'Duotempo: who may call',
});
new CardSettlementStack(app, stackNameOf(config.stage, 'CardSettlement'), {
  config,
  identity,
  alarmEmails,
  description: 'Duotempo: card transactions, settled in batches after the cut-off',
});
new ChatStack(app, stackNameOf(config.stage, 'Chat'), {
  config,
  identity,
  alarmEmails,
  description: 'Duotempo: chat messages, on their recipients’ devices the moment they are written',
});
app.synth();
