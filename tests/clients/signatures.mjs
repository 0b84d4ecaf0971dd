// Checks registry signatures with npm's own code, as `npm audit signatures` does. That command first asks the public
// Sigstore for the keys of the registry's host and fails where it cannot be reached; from there on everything is here:
// the keys of the registry, and pacote, which holds each signature against them.
//
//   node signatures.mjs <folder of npm> <registry URL> <token> <cache folder> <name@version>...
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [npm, registry, token, cache, ...specs] = process.argv.slice(2)
const require = createRequire(join(npm, 'package.json'))
const pacote = require('pacote')
const fetch = require('npm-registry-fetch')

const place = `//${new URL(registry).host}/`
const options = { registry, cache, [`${place}:_authToken`]: token }
const { keys } = await fetch.json('/-/npm/v1/keys', options)
const pem = key => `-----BEGIN PUBLIC KEY-----\n${key.key}\n-----END PUBLIC KEY-----`
options[`${place}:_keys`] = keys.map(key => ({ ...key, pemkey: pem(key) }))

for (const spec of specs) {
  const manifest = await pacote.manifest(spec, { ...options, verifySignatures: true })
  const signatures = manifest._signatures ?? []
  if (signatures.length === 0) throw new Error(`${spec} is not signed`)
  console.log(`${manifest._id}: ${signatures.map(signature => signature.keyid).join(' ')}`)
}

// The check must be one that can fail: with the key of somebody else behind the same name, it does.
const { publicKey } = await import('node:crypto').then(crypto => crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const stranger = publicKey.export({ type: 'spki', format: 'pem' })
options[`${place}:_keys`] = keys.map(key => ({ ...key, pemkey: stranger }))
const refused = await pacote.manifest(specs[0], { ...options, verifySignatures: true }).catch(error => error.code)
if (refused !== 'EINTEGRITYSIGNATURE') throw new Error(`a stranger's key was taken: ${refused}`)
