// Starts `rtfs lsp` for .rtfs files, and restarts it when its command changes or the user asks for it.
"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;
let change = Promise.resolve(); // starts and stops happen one after the other

async function start() {
  const [command, ...args] = vscode.workspace.getConfiguration("rtfs").get("command");
  const fileEvents = vscode.workspace.createFileSystemWatcher("**/{rtfs.yaml,.mcp.json}");
  const options = { documentSelector: [{ language: "rtfs" }], synchronize: { fileEvents } };
  client = new LanguageClient("rtfs", "RTFS", { command, args }, options);
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    vscode.window.showErrorMessage(
      `RTFS: \`${[command, ...args].join(" ")}\` does not start: ${error.message}. ` +
        "Install it with pip install 'rtfs-host[lsp]', or set rtfs.command."
    );
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running !== undefined) {
    await running.stop();
  }
}

function restart() {
  change = change.then(stop, stop).then(start);
  return change;
}

function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("rtfs.restart", restart),
    vscode.workspace.onDidChangeConfiguration((event) => (event.affectsConfiguration("rtfs.command") ? restart() : undefined))
  );
  return restart();
}

function deactivate() {
  change = change.then(stop, stop);
  return change;
}

module.exports = { activate, deactivate };
