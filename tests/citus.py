"""What Citus refuses, as far as the parsed text of a statement tells it. No Citus runs here.

The list is that of Citus' own documentation and errors: see "Over Citus" in ARCHITECTURE.md. Where Citus
allows something only by shipping rows between nodes, or only sometimes, this refuses it too.
"""

import re
from typing import NamedTuple

from pglast import ast, enums, parse_sql
from pglast.visitors import Visitor

EVERYWHERE = "on every node"
KEYS = (enums.ConstrType.CONSTR_PRIMARY, enums.ConstrType.CONSTR_UNIQUE, enums.ConstrType.CONSTR_EXCLUSION)
NOT_VOLATILE = {"unnest", "count", "sum", "max", "min"}


class Spread(NamedTuple):
    """How tables are spread: each one's group of tables that lie together, and its key (None: on every node)."""

    group: dict[str, int]
    key: dict[str, str | None]
    columns: dict[str, dict[str, str]]

    def by_key(self, table: str) -> bool:
        """Whether a table is distributed."""
        return self.key.get(table) is not None


def spread_of(page: str, columns: dict[str, dict[str, str]]) -> Spread:
    """The table below "Over Citus" of a page; ``columns`` are those of each table."""
    part = re.search(r"^\*\*Over Citus\*\*.*?^\| table \|.*?\n(.*?)\n\n", page, re.MULTILINE | re.DOTALL)
    assert part is not None
    group: dict[str, int] = {}
    key: dict[str, str | None] = {}
    for n, line in enumerate(part[1].splitlines()[1:]):
        tables, by, _ = (cell.strip() for cell in line.strip("|").split("|"))
        for table in tables.split(", "):
            assert table not in key, f"{table} stands there twice"
            group[table] = n
            key[table] = None if by == EVERYWHERE else by
    return Spread(group, key, columns)


def refused(text: str, spread: Spread) -> list[str]:
    """What Citus would refuse of these statements: a sentence each, none when it takes them."""
    found: list[str] = []
    for raw in parse_sql(text):
        _Statement(spread, found).check(raw.stmt)
    return found


class _Find(Visitor):
    """Every node of a type below another."""

    def __init__(self, *types):
        self.types = types
        self.found = []

    def visit(self, _ancestors, node):
        if isinstance(node, self.types):
            self.found.append(node)


def _all(node, *types):
    find = _Find(*types)
    find(node)
    return find.found


class _Scope:
    """One FROM: what is joined, by which names, and which columns are equal."""

    def __init__(self, spread, ctes):
        self.spread = spread
        self.ctes = ctes
        self.tables = {}  # alias: table, None when its rows are the same for every node
        self.equal = []  # pairs of nodes
        self.outer = []  # (rows kept, rows looked up), as sets of aliases

    def add(self, item):
        """Take a FROM item in; gives its aliases."""
        if isinstance(item, ast.JoinExpr):
            left, right = self.add(item.larg), self.add(item.rarg)
            self.conditions(item.quals)
            if item.jointype in (enums.JoinType.JOIN_LEFT, enums.JoinType.JOIN_FULL):
                self.outer.append((left, right))
            if item.jointype in (enums.JoinType.JOIN_RIGHT, enums.JoinType.JOIN_FULL):
                self.outer.append((right, left))
            return left | right
        if isinstance(item, ast.RangeTableSample):
            return self.add(item.relation)
        alias = item.alias.aliasname if item.alias else getattr(item, "relname", "")
        table = None
        if isinstance(item, ast.RangeVar) and item.relname not in self.ctes:
            table = item.relname
            assert table in self.spread.key, f"{table} is not in the page's table"
        self.tables[alias] = table
        return {alias}

    def conditions(self, clause):
        """Note the equalities that all must hold."""
        if isinstance(clause, ast.BoolExpr) and clause.boolop == enums.BoolExprType.AND_EXPR:
            for arg in clause.args:
                self.conditions(arg)
        elif isinstance(clause, ast.A_Expr) and clause.kind == enums.A_Expr_Kind.AEXPR_OP and clause.name[0].sval == "=":
            pair = self.node(clause.lexpr), self.node(clause.rexpr)
            if None not in pair:
                self.equal.append(pair)

    def node(self, side):
        """A column of a distributed table, a parameter or a constant; None for anything else."""
        if isinstance(side, ast.TypeCast):
            return self.node(side.arg)
        if isinstance(side, ast.ParamRef):
            return ("value", side.number)
        if isinstance(side, ast.A_Const):
            return ("value", str(side.val))
        if not isinstance(side, ast.ColumnRef):
            return None
        names = [part.sval for part in side.fields]
        columns = self.spread.columns
        owners = names[:-1] or [
            alias for alias, table in self.tables.items() if table is not None and names[-1] in columns[table]
        ]
        if len(owners) == 1 and self.tables.get(owners[0]) is not None:
            return (owners[0], names[-1])
        return None

    def together(self, one):
        """Everything that is equal to a node."""
        same = {one}
        grown = True
        while grown:
            more = {node for pair in self.equal if same & set(pair) for node in pair}
            grown = not more <= same
            same |= more
        return same

    def keys(self):
        """Alias and key of each distributed table."""
        return {
            alias: (alias, self.spread.key[table])
            for alias, table in self.tables.items()
            if table is not None and self.spread.by_key(table)
        }


class _Statement:
    def __init__(self, spread, found):
        self.spread = spread
        self.found = found
        self.one_shard = []  # of each distributed table: the values its key must equal

    def say(self, problem):
        self.found.append(problem)

    def check(self, stmt):
        """One statement of any kind."""
        match stmt:
            case ast.CreateStmt():
                self.table(stmt.relation.relname, stmt.tableElts or ())
            case ast.AlterTableStmt():
                self.table(stmt.relation.relname, [cmd.def_ for cmd in stmt.cmds if cmd.def_ is not None])
            case ast.IndexStmt():
                if stmt.unique:
                    self.unique(stmt.relation.relname, [one.name for one in stmt.indexParams])
            case ast.CreateTrigStmt():
                self.say("a trigger")
            case ast.RuleStmt():
                self.say("a rule")
            case ast.SelectStmt() | ast.InsertStmt() | ast.UpdateStmt() | ast.DeleteStmt():
                self.query(stmt, frozenset())
                recursive = any(clause.recursive for clause in _all(stmt, ast.WithClause))
                if recursive and self.one_shard and not frozenset.intersection(*self.one_shard):
                    self.say("WITH RECURSIVE over more than one shard")
            case ast.TransactionStmt():
                pass
            case _:
                self.say(f"{type(stmt).__name__}: nobody has looked at what Citus makes of it")

    # -- the schema --------------------------------------------------------------------------

    def table(self, table, elements):
        for element in elements:
            if isinstance(element, ast.Constraint):
                self.constraint(table, element, [part.sval for part in element.keys or ()])
            for constraint in getattr(element, "constraints", None) or ():
                self.constraint(table, constraint, [element.colname])

    def constraint(self, table, constraint, columns):
        if constraint.contype in KEYS:
            self.unique(table, columns)
        elif constraint.contype == enums.ConstrType.CONSTR_FOREIGN:
            ours = [part.sval for part in constraint.fk_attrs or ()] or columns
            other = constraint.pktable.relname
            theirs = [part.sval for part in constraint.pk_attrs or ()] or ours
            if self.spread.by_key(other) and not (
                self.spread.group[table] == self.spread.group[other]
                and (self.spread.key[table], self.spread.key[other]) in zip(ours, theirs, strict=True)
            ):
                self.say(f"a foreign key from {table} to {other}, whose rows lie elsewhere")

    def unique(self, table, columns):
        if self.spread.by_key(table) and self.spread.key[table] not in columns:
            self.say(f"{table}: unique {', '.join(map(str, columns))}, without its key {self.spread.key[table]}")

    # -- queries -----------------------------------------------------------------------------

    def query(self, stmt, ctes):
        if stmt.withClause is not None:
            names = {cte.ctename for cte in stmt.withClause.ctes}
            inner = ctes | names if stmt.withClause.recursive else ctes
            for cte in stmt.withClause.ctes:
                self.query(cte.ctequery, inner)
            ctes = ctes | names
        {
            ast.SelectStmt: self.select, ast.InsertStmt: self.insert,
            ast.UpdateStmt: self.update, ast.DeleteStmt: self.delete,
        }[type(stmt)](stmt, ctes)  # fmt: skip

    def select(self, stmt, ctes):
        if stmt.op != enums.SetOperation.SETOP_NONE:
            self.query(stmt.larg, ctes)
            self.query(stmt.rarg, ctes)
            return
        scope = self.joined(stmt.fromClause or (), stmt.whereClause, ctes)
        if stmt.lockingClause:
            self.say("SELECT … FOR UPDATE or SHARE")
        if scope.keys() and _all(stmt.groupClause or (), ast.GroupingSet):
            self.say("GROUPING SETS over more than one shard")
        if scope.keys() and _all(stmt.fromClause, ast.RangeTableSample):
            self.say("TABLESAMPLE over more than one shard")
        self.sublinks([stmt.targetList or (), stmt.whereClause, stmt.havingClause], ctes)

    def insert(self, stmt, ctes):
        table = stmt.relation.relname
        key = self.spread.key[table]
        if key is not None and stmt.cols is not None and key not in [col.name for col in stmt.cols]:
            self.say(f"INSERT into {table} without its key {key}")
        if stmt.selectStmt is not None:
            if stmt.selectStmt.valuesLists and _all(stmt.selectStmt.valuesLists, ast.SubLink):
                self.say("a subquery among the VALUES of an INSERT")
            self.query(stmt.selectStmt, ctes)
        if stmt.onConflictClause is not None:
            self.sets(table, stmt.onConflictClause.targetList or ())

    def update(self, stmt, ctes):
        self.sets(stmt.relation.relname, stmt.targetList)
        self.modify(stmt, stmt.fromClause or (), ctes)

    def delete(self, stmt, ctes):
        self.modify(stmt, stmt.usingClause or (), ctes)

    def sets(self, table, targets):
        if self.spread.by_key(table) and self.spread.key[table] in [target.name for target in targets]:
            self.say(f"{table}: its key {self.spread.key[table]} is updated")

    def modify(self, stmt, others, ctes):
        scope = self.joined((stmt.relation, *others), stmt.whereClause, ctes)
        if not self.spread.by_key(stmt.relation.relname) and scope.keys():
            self.say(f"{stmt.relation.relname}, on every node, is changed by what one node holds")
        for call in _all(stmt, ast.FuncCall):
            if call.funcname[-1].sval not in NOT_VOLATILE:
                self.say(f"{call.funcname[-1].sval}() in a change: it may be volatile")
        self.sublinks([getattr(stmt, "targetList", ()) or (), stmt.whereClause], ctes)

    def sublinks(self, nodes, ctes):
        """A subquery in an expression may look at tables that are on every node, and no others."""
        for node in nodes:
            for link in _all(node, ast.SubLink) if node else ():
                seen = {one.relname for one in _all(link, ast.RangeVar)} - ctes
                for table in sorted(seen):
                    if self.spread.by_key(table):
                        self.say(f"a subquery over {table} in an expression")

    def joined(self, items, where, ctes):
        """What is joined, and whether each node can join it alone."""
        scope = _Scope(self.spread, ctes)
        for item in items:
            scope.add(item)
            for inner in _all(item, ast.RangeSubselect):
                self.query(inner.subquery, ctes)
        scope.conditions(where)
        keys = scope.keys()
        for key in keys.values():
            self.one_shard.append(frozenset(node for node in scope.together(key) if node[0] == "value"))
        for one, other in zip(list(keys)[:-1], list(keys)[1:], strict=True):
            tables = scope.tables[one], scope.tables[other]
            if self.spread.group[tables[0]] != self.spread.group[tables[1]]:
                self.say(f"{tables[0]} joined with {tables[1]}, whose rows lie elsewhere")
            elif keys[other] not in scope.together(keys[one]):
                self.say(f"{tables[0]} joined with {tables[1]} on other columns than their key")
        for kept, looked_up in scope.outer:
            if keys.keys() & looked_up and not keys.keys() & kept:
                self.say("an outer join that keeps what every node has and looks up what one has")
        return scope
