namespace OpenEuroLLM.Tensors;

/// <summary>Gated units and sums on the residual path.</summary>
public sealed unsafe partial class Engine
{
    /// <summary>gelu(gate) · up.</summary>
    /// <param name="gate">(rows, hidden); used by this operation only.</param>
    /// <param name="up">As <paramref name="gate"/>.</param>
    /// <param name="form">Which GELU.</param>
    public Tensor GeGlu(Tensor gate, Tensor up, GeluForm form)
    {
        if (gate.Shape != up.Shape) throw new ArgumentException($"GeGLU: gate {gate.Shape} and up {up.Shape} differ");
        var y = Take(gate.Rows, gate.Columns);
        backend.GeGlu(Data(gate), Data(up), gate.Shape.Count, form, Data(y));
        if (Recording)
        {
            ref var entry = ref tape.Add(Operation.GeGlu);
            (entry.A, entry.B, entry.Output, entry.Form) = (gate.Slot, up.Slot, y.Slot, form);
        }
        return y;
    }

    /// <summary>x + branch, in the memory of <paramref name="branch"/>, which cannot be read afterwards: the sum at the end of a sublayer.</summary>
    /// <param name="x">The residual stream, (rows, width).</param>
    /// <param name="branch">Result of a product or a norm that nothing else uses.</param>
    public Tensor Residual(Tensor x, Tensor branch)
    {
        if (x.Shape != branch.Shape) throw new ArgumentException($"residual sum: {x.Shape} and {branch.Shape} differ");
        if (x.Slot == branch.Slot) throw new ArgumentException("residual sum: both are the same tensor");
        var y = TakeOver(branch);
        backend.Add(Data(x), Data(y), x.Shape.Count, Data(y));
        if (Recording)
        {
            ref var entry = ref tape.Add(Operation.Add);
            (entry.A, entry.B, entry.Output) = (x.Slot, branch.Slot, y.Slot);
        }
        return y;
    }

    private void BackGated(in TapeEntry entry, float* dy)
    {
        var gate = Needed(entry.A);
        var up = Needed(entry.B);
        var dGate = InPlace(entry.A);
        var dUp = InPlace(entry.B);
        if (entry.Operation == Operation.SwiGlu) backend.SwiGluGradient(gate, up, dy, slots[entry.A].Count, dGate, dUp);
        else backend.GeGluGradient(gate, up, dy, slots[entry.A].Count, entry.Form, dGate, dUp);
    }
}
