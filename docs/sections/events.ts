import { z } from 'zod'
import { logEventSchema, logLineFields } from '../../src/cli/events.ts'
import { markdownTable } from './table.ts'

/** The fields of every line, then those of each event. */
export function eventsTable(): string {
  const common = markdownTable(
    ['in every line', 'type', 'meaning'],
    Object.entries(logLineFields).map(([name, schema]) => [`\`${name}\``, typeOf(schema), schema.description ?? '']),
  )
  const events = logEventSchema.options.map((event) => {
    const { event: name, ...fields } = event.shape
    const rows = Object.entries(fields).map(([field, schema]) => [
      `\`${field}\``,
      typeOf(schema),
      schema.description ?? '',
    ])
    return `### ${[...name.values].join(', ')}\n\n${sentence(event.description ?? '')}\n\n${markdownTable(['field', 'type', 'meaning'], rows)}`
  })
  return `${common}\n\n${events.join('\n\n')}\n`
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

/** As a reader of JSON would call it. */
function typeOf(schema: z.ZodType): string {
  const { type, items, enum: values, properties, anyOf } = z.toJSONSchema(schema)
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(', ')
  if (type === 'array' && typeof items === 'object' && !Array.isArray(items)) {
    return items.type === 'object'
      ? `array of {${Object.keys(items.properties ?? {}).join(', ')}}`
      : `array of ${items.type}`
  }
  if (properties !== undefined) return `{${Object.keys(properties).join(', ')}}`
  if (anyOf !== undefined) return 'number'
  return String(type)
}
