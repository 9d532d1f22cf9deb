// node containerfile.js FILE: what dockerfile-utils finds wrong, a line each; status 1 if anything.
"use strict";
const fs = require("fs");
const { validate } = require("dockerfile-utils");
const found = validate(fs.readFileSync(process.argv[2], "utf8"));
for (const f of found) console.log(`${process.argv[2]}:${f.range.start.line + 1}: ${f.message}`);
process.exit(found.length ? 1 : 0);
