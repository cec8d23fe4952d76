-- Options of RTFS buffers; the language server is started by lsp/rtfs.lua (Neovim 0.11) or from here (0.8 to 0.10).
local options = vim.opt_local
options.commentstring = ";; %s"
options.comments = { "n:;" }
options.lisp = true
options.iskeyword:append({ "-", "?", "!", "*", "/", "<", ">", "=", "+", "%", "&", "." })
options.expandtab = true
options.shiftwidth = 2
options.softtabstop = 2

if vim.lsp.config == nil and vim.lsp.start ~= nil and vim.fn.executable("rtfs") == 1 then
  local found = vim.fs.find({ "rtfs.yaml", ".git" }, { upward = true, path = vim.fs.dirname(vim.api.nvim_buf_get_name(0)) })[1]
  vim.lsp.start({
    name = "rtfs",
    cmd = { "rtfs", "lsp" },
    root_dir = found and vim.fs.dirname(found) or vim.fn.getcwd(),
  })
end

vim.b.undo_ftplugin = "setlocal commentstring< comments< lisp< iskeyword< expandtab< shiftwidth< softtabstop<"
