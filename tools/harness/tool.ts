import type { Command, OptionValues } from 'commander';
import { synthesizeIfChanged } from '../../cli/shared/assembly.ts';
import { defineCommand, jsonOption, type Call, type Run } from '../../cli/shared/command.ts';
import { colorsFor, print, type Colors } from '../../cli/shared/screen.ts';

export interface Tool<Options, Result> {
  readonly measure: (call: Call<Options>) => Promise<Result>;
  readonly report: (result: Result, colors: Colors) => string;
  /** Then the exit code is 0. */
  readonly isGood: (result: Result) => boolean;
}

/** Adds `--json`. */
export function defineTool<Options extends OptionValues, Result>(
  command: () => Command,
  { measure, report, isGood }: Tool<Options, Result>,
): Run {
  return async (argv, context) => {
    const run = defineCommand<Options>(command().addOption(jsonOption()), async (call) => {
      const result = await measure(call);
      print(call.options['json'] === true ? jsonText(result) : report(result, colorsFor(process.stdout)));
      return isGood(result) ? 0 : 1;
    });
    return run(argv, context);
  };
}

/** Amounts become decimal text. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? each.toString() : each));
}

export async function assemblyOf(
  projectFolder: string,
  stage: string,
  signal = new AbortController().signal,
): Promise<string> {
  return synthesizeIfChanged({ projectFolder, stage, signal, onSynthesize: () => undefined });
}
