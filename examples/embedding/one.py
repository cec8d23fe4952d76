"""A program of your own runs plans: it offers functions, sets limits, and reads values and errors.

$ python examples/embedding/one.py
"""

from __future__ import annotations

import rtfs

STOCK = {"tea": 3, "mug": 0}


def main() -> None:
    with rtfs.Runtime(limits={"steps": 100_000}, context={"customer": "ada"}) as runtime:
        runtime.register("stock.count", lambda sku: STOCK[sku], input_schema=":string", output_schema=":int")

        # Definitions stay for the next run of the same runtime, as in a REPL.
        runtime.run('(defn in-stock? [sku] (pos? (call "stock.count" sku)))')
        value = runtime.run('{:customer @customer :has (filter in-stock? ["tea" "mug"])}')
        print(rtfs.to_text(value), rtfs.to_python(value))

        for plan in ("(in-stock? :tea)", '(read-file "/etc/passwd")', "((fn again [n] (again (inc n))) 0)"):
            try:
                runtime.run(plan)
            except rtfs.UserError as error:
                print(f"{error.code}: {error.message}")


if __name__ == "__main__":
    main()
