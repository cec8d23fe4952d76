-- Options of RTFS buffers; the language server is started by lsp/rtfs.lua (Neovim 0.11) or from here (0.7 to 0.10).
local options = vim.opt_local
options.commentstring = ";; %s"
options.comments = { "n:;" }
options.lisp = true
options.iskeyword:append({ "-", "?", "!", "*", "/", "<", ">", "=", "+", "%", "&", "." })
options.expandtab = true
options.shiftwidth = 2
options.softtabstop = 2

local function root()
  local folder = vim.fn.expand("%:p:h")
  for _, marker in ipairs({ "rtfs.yaml", ".git" }) do
    local found = vim.fn.findfile(marker, folder .. ";")
    found = found ~= "" and found or vim.fn.finddir(marker, folder .. ";")
    if found ~= "" then
      return vim.fn.fnamemodify(found, ":p:s?/$??:h")
    end
  end
  return folder
end

if vim.lsp.config == nil and vim.fn.executable("rtfs") == 1 then
  local config = { name = "rtfs", cmd = { "rtfs", "lsp" }, root_dir = root() }
  if vim.lsp.start ~= nil then
    vim.lsp.start(config)
  else -- 0.7 has no vim.lsp.start: one server for each folder
    vim.g.rtfs_clients = vim.g.rtfs_clients or {}
    local clients = vim.g.rtfs_clients
    if clients[config.root_dir] == nil or vim.lsp.get_client_by_id(clients[config.root_dir]) == nil then
      clients[config.root_dir] = vim.lsp.start_client(config)
      vim.g.rtfs_clients = clients
    end
    vim.lsp.buf_attach_client(0, clients[config.root_dir])
  end
end

vim.b.undo_ftplugin = "setlocal commentstring< comments< lisp< iskeyword< expandtab< shiftwidth< softtabstop<"
