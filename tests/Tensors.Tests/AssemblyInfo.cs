// Thread teams fill the machine, and one test counts the bytes that the whole process allocates: one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
