using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers.Tests.Fuzz;

/// <summary>Runs a parser over damaged input: it reads it or refuses it with one line, in bounded time and memory.</summary>
internal static class FuzzRun
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>How many cases: those of every build, or as many times that as <c>OELLM_FUZZ</c> says.</summary>
    public static int Cases(int everyBuild) =>
        everyBuild * (int.TryParse(Environment.GetEnvironmentVariable("OELLM_FUZZ"), System.Globalization.CultureInfo.InvariantCulture, out int times) && times is > 0 and <= 100_000 ? times : 1);

    /// <summary>Tries every case; returns how many were read and how many refused.</summary>
    /// <param name="name">Names the parser, and chooses the random numbers.</param>
    /// <param name="cases">How many.</param>
    /// <param name="make">Makes a case.</param>
    /// <param name="attempt">Reads it, and uses what was read.</param>
    /// <param name="allowance">Bytes that may be allocated for a case beside 2,000 for each of its own.</param>
    public static (int Read, int Refused) Over(string name, int cases, Func<FuzzRandom, byte[]> make, Action<byte[]> attempt, long allowance = 48 << 20)
    {
        (int read, int refused, int current) = (0, 0, 0);
        Exception? failure = null;
        byte[] input = [];
        // A thread of its own, so that a case that never ends fails the test instead of holding it up.
        var worker = new Thread(() =>
        {
            try
            {
                for (int i = 0; i < cases; i++)
                {
                    Volatile.Write(ref current, i);
                    Volatile.Write(ref input, make(new FuzzRandom(name, i)));
                    long before = GC.GetAllocatedBytesForCurrentThread();
                    try
                    {
                        attempt(input);
                        read++;
                    }
                    catch (UserErrorException refusal)
                    {
                        Assert.False(string.IsNullOrWhiteSpace(refusal.Message), "the refusal says nothing");
                        Assert.DoesNotContain('\n', refusal.Message);
                        refused++;
                    }
                    long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                    Assert.True(allocated <= allowance + (2000L * input.Length), $"{allocated} bytes were allocated for an input of {input.Length}");
                }
            }
            catch (Exception error) // reported with the case below
            {
                failure = error;
            }
        }, maxStackSize: 1 << 20)
        { IsBackground = true };
        worker.Start();
        for (int last = -1; !worker.Join(Patience); last = Volatile.Read(ref current))
            Assert.True(Volatile.Read(ref current) != last, $"{name}, case {current}: not done after {Patience}; input {Show(input)}");
        if (failure is not null)
            Assert.Fail($"{name}, case {current}: {failure}\ninput {Show(input)}");
        return (read, refused);
    }

    private static string Show(byte[] input) => input.Length > 6000 ? $"of {input.Length} bytes: {Convert.ToBase64String(input.AsSpan(0, 6000))}..." : Convert.ToBase64String(input);
}

/// <summary>Numbers that a case is made of: always the same for its name and number.</summary>
internal sealed class FuzzRandom(string name, int number)
{
    private readonly CounterRandom _numbers = new CounterRandom(20261125, (ulong)number).Substream(name);
    private ulong _index;

    public int Below(int bound) => (int)_numbers.Below(_index++, (uint)bound);

    public byte Byte() => (byte)Below(256);

    public T Of<T>(IReadOnlyList<T> list) => list[Below(list.Count)];
}
