// Stripe's own client, at work for a test: what it is to do comes as JSON, what came of it goes out as JSON.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const { folder, key, port, calls, sign, verify } = JSON.parse(readFileSync(0, 'utf8'))
const Stripe = createRequire(import.meta.url)(folder)
const stripe = new (Stripe.default ?? Stripe)(key, {
  host: '127.0.0.1', port, protocol: 'http', maxNetworkRetries: 0, telemetry: false,
})

// The members of a type as the client declares them: of an answer those that are always there, of parameters all.
function members (file, head) {
  const text = readFileSync(join(folder, 'cjs/resources', file), 'utf8')
  const start = text.indexOf(`${head} {`)
  if (start < 0) throw new Error(`${file} has no ${head}`)
  const indent = text.slice(text.lastIndexOf('\n', start) + 1, start).match(/^ */)[0]
  const body = text.slice(start, text.indexOf(`\n${indent}}`, start))
  const found = [...body.matchAll(new RegExp(`^${indent}    (\\w+)(\\??):`, 'gm'))]
  return { always: found.filter(([, , mark]) => !mark).map(([, name]) => name), all: found.map(([, name]) => name) }
}

const answers = []
for (const { path, args, refused } of calls ?? []) {
  const names = path.split('.')
  const verb = names.pop()
  const resource = names.reduce((at, name) => at[name], stripe)
  const answer = resource[verb](...args)
  answers.push(refused ? await answer.catch(error => ({ type: error.type, status: error.statusCode })) : await answer)
}

console.log(JSON.stringify({
  answers,
  signed: sign && stripe.webhooks.generateTestHeaderString(sign),
  event: verify && stripe.webhooks.constructEvent(verify.payload, verify.header, verify.secret, 600),
  version: stripe.getApiField('version'),
  checkout: members('Checkout/Sessions.d.ts', 'export interface Session'),
  portal: members('BillingPortal/Sessions.d.ts', 'export interface Session'),
  checkoutParameters: members('Checkout/Sessions.d.ts', 'interface SessionCreateParams'),
  portalParameters: members('BillingPortal/Sessions.d.ts', 'interface SessionCreateParams'),
}))
