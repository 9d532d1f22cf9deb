// Runs SQL statements (a JSON list on standard input) in one DuckDB and prints the rows of each as JSON.
// node duckdb.js MODULES: MODULES is the node_modules that holds @duckdb/node-api.
const path = require('path');
const {DuckDBInstance} = require(path.join(process.argv[2], '@duckdb/node-api'));

async function main() {
    const statements = JSON.parse(require('fs').readFileSync(0, 'utf8'));
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const answers = [];
    for (const sql of statements) {
        const reader = await connection.runAndReadAll(sql);
        answers.push(reader.getRowsJson());
    }
    console.log(JSON.stringify(answers));
}
main().catch(e => { console.error(String(e)); process.exit(1); });
