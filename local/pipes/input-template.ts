import { isJsonList, isJsonObject, type Json } from '../template/index.ts';

export type InputTemplate = (event: Json) => string;

export type ReservedVariables = Readonly<Record<string, () => string>>;

type Part = string | { readonly valueOf: (event: Json) => Json | undefined; readonly isQuoted: boolean };

/**
 * JSON with `<$.path>` for values of the event. Within quotes a value becomes part of the text; elsewhere it is JSON.
 * @throws Error for a variable or path that the host does not understand, or a template that yields no JSON
 */
export function compileInputTemplate(template: string, reserved: ReservedVariables): InputTemplate {
  if (!/^\s*[{[]/.test(template)) {
    throw new Error('the local host knows templates that are a JSON object or a JSON list only.');
  }
  const parts = partsOf(template, reserved);
  const render: InputTemplate = (event) => {
    const text = parts
      .map((part) => (typeof part === 'string' ? part : rendered(part.valueOf(event), part.isQuoted)))
      .join('');
    return text;
  };
  try {
    JSON.parse(render({}));
  } catch {
    throw new Error('the template is not JSON once its variables are replaced.');
  }
  return render;
}

function partsOf(template: string, reserved: ReservedVariables): readonly Part[] {
  const parts: Part[] = [];
  let literal = '';
  let isQuoted = false;
  for (let index = 0; index < template.length; index += 1) {
    const character = template.charAt(index);
    const variable = character === '<' ? /^<\s*(\$|aws\.)([^<>]*)>/.exec(template.slice(index)) : undefined;
    if (variable) {
      parts.push(literal, { valueOf: valueReader(variable[0].slice(1, -1).trim(), reserved), isQuoted });
      literal = '';
      index += variable[0].length - 1;
    } else if (character === '\\' && isQuoted) {
      literal += template.slice(index, index + 2);
      index += 1;
    } else {
      if (character === '"') isQuoted = !isQuoted;
      literal += character;
    }
  }
  return [...parts, literal];
}

function valueReader(variable: string, reserved: ReservedVariables): (event: Json) => Json | undefined {
  if (!variable.startsWith('$')) {
    const value = reserved[variable.replace(/^aws\.pipes\./, '')];
    if (value === undefined) throw new Error(`the local host does not know the variable <${variable}>.`);
    return value;
  }
  const path = variable.slice(1);
  if (!/^(?:\.[A-Za-z0-9_-]+|\[\d+\])*$/.test(path)) {
    throw new Error(`the local host does not know the path <${variable}> (wildcards are not supported).`);
  }
  const steps = [...path.matchAll(/[A-Za-z0-9_-]+/g)].map(([step]) => step);
  return (event) =>
    steps.reduce<Json | undefined>((value, step) => {
      if (isJsonList(value)) return value[Number(step)];
      return isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
    }, event);
}

/**
 * A missing value is an empty text, as recorded for EventBridge's rules.
 * @throws Error for an object or a list within quotes, as AWS documents for pipes
 */
function rendered(value: Json | undefined, isQuoted: boolean): string {
  if (!isQuoted) return JSON.stringify(value === undefined ? '' : value);
  if (value === undefined || value === null) return '';
  if (typeof value === 'object') throw new Error('an object or a list within quotes makes no JSON.');
  return JSON.stringify(String(value)).slice(1, -1);
}
