-- The language server for Neovim 0.11: switched on by vim.lsp.enable("rtfs").
return {
  cmd = { "rtfs", "lsp" },
  filetypes = { "rtfs" },
  root_markers = { "rtfs.yaml", ".git" },
}
