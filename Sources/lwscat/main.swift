// The program lwscat. Everything it does is in LWSCatKit, where tests reach it.

import LWSCatKit

LWSCatProgram.run(Array(CommandLine.arguments.dropFirst()))
