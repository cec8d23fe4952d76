if vim.fn.has("nvim-0.8") == 1 then
  vim.filetype.add({ extension = { rtfs = "rtfs" } })
else -- before, vim.filetype is off unless the user switches it on
  vim.cmd("autocmd BufRead,BufNewFile *.rtfs setfiletype rtfs")
end
