import { App } from 'aws-cdk-lib';
import { CardSettlementStack } from '../lib/card-settlement-stack.ts';
import { ChatStack } from '../lib/chat-stack.ts';
import { stageConfig } from '../lib/config.ts';
import { IdentityStack } from '../lib/identity-stack.ts';

export const app = new App();
const config = stageConfig(app.node.tryGetContext('stage') ?? 'sandbox');
const identity = new IdentityStack(app, 'DuotempoIdentity', {
  config,
  description: 'Duotempo: who may call',
});
new CardSettlementStack(app, 'DuotempoCardSettlement', {
  config,
  identity,
  description: 'Duotempo: card transactions, settled in batches after the cut-off',
});
new ChatStack(app, 'DuotempoChat', {
  config,
  identity,
  description: 'Duotempo: chat messages, on their recipients’ devices the moment they are written',
});
app.synth();
