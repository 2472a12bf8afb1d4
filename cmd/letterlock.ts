#!/usr/bin/env node
// The letterlock command. It holds nothing but its start: the exit code is set, not forced, so that what was
// written is written out.

import { closeDebugger } from './debugger.ts';
import { processIo } from './io.ts';
import { runProgram } from './program.ts';

closeDebugger();
process.exitCode = await runProgram(process.argv.slice(2), processIo());
