/** @throws Error that names the variable if it is missing: the function then fails at its first invocation */
export function environmentVariable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`The environment variable ${name} is not set.`);
  return value;
}

export function environmentNumber(name: string): number {
  const value = Number(environmentVariable(name));
  if (!Number.isInteger(value)) throw new Error(`The environment variable ${name} is not a whole number.`);
  return value;
}
