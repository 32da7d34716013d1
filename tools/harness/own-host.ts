import { CommandError } from '../../cli/shared/command-error.ts';
import { outputsOf, type Outputs } from '../../cli/shared/outputs.ts';
import { startLocalHost, type LocalHost, type LocalHostOptions } from '../../local/index.ts';

/** In this process, where tools can watch and disturb it. */
export interface OwnHost extends LocalHost {
  readonly appOutputs: Outputs;
  /** An environment variable of the app's functions, such as a table's name. */
  readonly variable: (name: string) => string;
}

export async function startOwnHost(options: Omit<LocalHostOptions, 'port' | 'awsPort'>): Promise<OwnHost> {
  const host = await startLocalHost({ ...options, port: 0, awsPort: 0 });
  return {
    ...host,
    appOutputs: outputsOf(host),
    variable: (name) => {
      const values = host.functions.map(({ environment }) => environment[name]);
      const value = values.find((each) => each !== undefined);
      if (value === undefined) throw new CommandError(`No function has the variable ${name}.`);
      return value;
    },
  };
}
