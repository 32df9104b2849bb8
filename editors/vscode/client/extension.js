// The client: starts `qflow lsp` and hands it what happens to .qf files.
"use strict";

const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

let client;

async function start() {
  const [command, ...args] = vscode.workspace.getConfiguration("qflow").get("command");
  const program = { command, args, transport: TransportKind.stdio };
  client = new LanguageClient(
    "qflow",
    "qflow",
    { run: program, debug: program },
    {
      // of YAML the server reads the files that begin `qflow: 1`, and says nothing of others
      documentSelector: [{ language: "qflow" }, { language: "yaml", scheme: "file" }],
      synchronize: {
        // a plan depends on these as well
        fileEvents: vscode.workspace.createFileSystemWatcher("**/*.{qf,yaml,yml,lock,sens.json}"),
      },
    },
  );
  try {
    await client.start();
  } catch (error) {
    vscode.window.showErrorMessage(
      `qflow: cannot start \`${[command, ...args].join(" ")}\`: ${error.message}. ` +
        "Install it with `pip install qflow[lsp]`, or name it in the setting qflow.command.",
    );
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running) {
    await running.stop();
  }
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("qflow.restart", async () => {
      await stop();
      await start();
    }),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration("qflow.command")) {
        await stop();
        await start();
      }
    }),
  );
  if (vscode.workspace.isTrusted) {
    await start();
  } else {
    context.subscriptions.push(vscode.workspace.onDidGrantWorkspaceTrust(start));
  }
}

module.exports = { activate, deactivate: stop };
