program = [("push", 0), ("store", "sum"), ("push", 40), ("store", "n"), ("load", "n"), ("jump-zero", 14)]
program += [("load", "sum"), ("load", "n"), ("add", None), ("store", "sum"), ("load", "n"), ("dec", None)]
program += [("store", "n"), ("jump", 4), ("load", "sum"), ("halt", None)]
pc, stack, registers, steps = 0, [], {}, 0
while True:
    op, a = program[pc]
    pc += 1
    if op == "push":
        stack.append(a)
    elif op == "store":
        registers[a] = stack.pop()
    elif op == "load":
        stack.append(registers[a])
    elif op == "add":
        stack.append(stack.pop() + stack.pop())
    elif op == "dec":
        stack.append(stack.pop() - 1)
    elif op == "jump":
        pc = a
    elif op == "jump-zero":
        if stack.pop() == 0:
            pc = a
    else:
        break
    steps += 1
result = [stack[-1], steps]
