vim.filetype.add({ extension = { rtfs = "rtfs" } })
