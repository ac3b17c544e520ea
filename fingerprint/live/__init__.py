"""The live wire: kernel sockets, a recorder beside them, raw insertion, and the privileges they need and give up."""
